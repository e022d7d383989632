//! The security processor's registers and the buffer, as the rest of the firmware uses them.
//!
//! No other file touches them. Offsets and fields are those of the gateware: they come from the same description.

const std = @import("std");
const kinds = @import("machine.zig");
const registers = @import("registers");

const processor = registers.processor;
const engine = registers.psp;

const processor_base = 0x1000_0000;
const engine_base = 0x1000_1000;
const buffer_base = 0x1000_2000;
const p384_base = 0x1000_4000;
const dram_base = 0x1000_6000;
const dram_table_base = 0x1000_8000;
const p384_register_bytes = 64;
const number_words = 12;

const checksum_rotation = 5;

/// To count a turn of a loop takes the processor as long as a word or two, so that each turn does several.
const words_a_turn = 8;

pub const buffer_bytes = 8192;

/// The bytes that the processor shares with the units.
pub fn buffer() *[buffer_bytes]u8 {
    return @ptrFromInt(buffer_base);
}

/// A register is always accessed as a whole word. Through a pointer to its structure the compiler would access it field
/// by field.
fn word(comptime base: usize, comptime Register: type) *volatile u32 {
    return @ptrFromInt(base + Register.offset);
}

fn words(comptime base: usize, comptime Register: type) *volatile [Register.count]u32 {
    return @ptrFromInt(base + Register.offset);
}

fn read(comptime Register: type) Register {
    return @bitCast(word(processor_base, Register).*);
}

fn write(comptime Register: type, value: Register) void {
    word(processor_base, Register).* = @bitCast(value);
}

fn readEngine(comptime Register: type) Register {
    return @bitCast(word(engine_base, Register).*);
}

fn writeEngine(comptime Register: type, value: Register) void {
    word(engine_base, Register).* = @bitCast(value);
}

/// The compiler does not know that units read and write the buffer: it must not keep or move accesses across this.
fn fence() void {
    asm volatile ("" ::: .{ .memory = true });
}

fn waitWhileBusy(comptime Status: type) Status {
    while (true) {
        const status = read(Status);
        if (!status.BUSY) {
            fence();
            return status;
        }
    }
}

// What the board is.

pub fn board() kinds.Board {
    const platform = read(processor.PLATFORM);
    const strap = read(processor.STRAP);
    return .{
        .tsme = strap.TSME,
        .c_bit = platform.C_BIT,
        .asid_count = platform.ASID_COUNT,
        .memory_pages = read(processor.MEMORY_PAGES).PAGES,
        .levels_dram = strap.DRAM,
    };
}

pub fn deviceSecret(secret: *[32]u8) void {
    for (words(processor_base, processor.DEVICE_SECRET), 0..) |*register, index|
        std.mem.writeInt(u32, secret[4 * index ..][0..4], register.*, .little);
}

// The mailbox.

/// Waits for a command of the host.
pub fn nextCommand() kinds.Command {
    while (!read(processor.INTERRUPT_STATUS).COMMAND) {}
    const command = read(processor.MAILBOX_COMMAND);
    const low: u64 = read(processor.MAILBOX_LOW).ADDRESS;
    const high: u64 = read(processor.MAILBOX_HIGH).ADDRESS;
    return .{ .number = command.COMMAND, .buffer = high << 32 | low };
}

/// Answers it.
pub fn respond(status: u16) void {
    fence();
    write(processor.MAILBOX_RESPONSE, .{ .STATUS = status });
}

// SHA-256.

/// Hashes blocks of the buffer into a state. The offset is a multiple of 4; at most 128 blocks.
pub fn hash(state: *[8]u32, offset: usize, blocks: usize) void {
    const place = words(processor_base, processor.SHA_STATE);
    for (place, state) |*register, value| register.* = value;
    fence();
    write(processor.SHA_START, .{ .OFFSET = @intCast(offset), .BLOCKS = @intCast(blocks) });
    _ = waitWhileBusy(processor.SHA_STATUS);
    for (place, state) |*register, *value| value.* = register.*;
    for (place) |*register| register.* = 0;
}

// AES-128.

/// XORs blocks of the buffer with the key stream, and counts the counter block on. The offset is a multiple of 4.
pub fn cipher(key: *const [16]u8, counter: *[16]u8, offset: usize, blocks: usize) void {
    const key_words = words(processor_base, processor.AES_KEY);
    const counter_words = words(processor_base, processor.AES_COUNTER);
    for (key_words, 0..) |*register, index| register.* = std.mem.readInt(u32, key[4 * index ..][0..4], .little);
    for (counter_words, 0..) |*register, index| register.* = std.mem.readInt(u32, counter[4 * index ..][0..4], .little);
    fence();
    write(processor.AES_START, .{ .OFFSET = @intCast(offset), .BLOCKS = @intCast(blocks) });
    _ = waitWhileBusy(processor.AES_STATUS);
    for (counter_words, 0..) |*register, index| std.mem.writeInt(u32, counter[4 * index ..][0..4], register.*, .little);
    for (key_words) |*register| register.* = 0;
}

// The unit for P-384.

fn p384Register(number: u6) *volatile [number_words]u32 {
    return @ptrFromInt(p384_base + @as(usize, number) * p384_register_bytes);
}

pub fn p384Write(register: u6, number: *const [number_words]u32) void {
    for (p384Register(register), number) |*place, value| place.* = value;
}

pub fn p384Read(register: u6, number: *[number_words]u32) void {
    for (p384Register(register), number) |*place, *value| value.* = place.*;
}

/// Runs an operation on registers, and returns its flag.
pub fn p384Run(operation: kinds.Operation, modulus: kinds.Modulus, destination: u6, a: u6, b: u6) bool {
    write(processor.P384_START, .{
        .OPERATION = operation,
        .MODULUS = modulus,
        .DESTINATION = destination,
        .A = a,
        .B = b,
    });
    return waitWhileBusy(processor.P384_STATUS).FLAG;
}

// Memory.

/// Reads memory into the buffer. At most 4096 bytes; the offset is the address modulo 16.
pub fn readMemory(address: u64, asid: u10, offset: usize, length: usize) error{Memory}!void {
    return moveMemory(address, asid, offset, length, false);
}

/// Writes memory from the buffer. At most 4096 bytes; the offset is the address modulo 16.
pub fn writeMemory(address: u64, asid: u10, offset: usize, length: usize) error{Memory}!void {
    return moveMemory(address, asid, offset, length, true);
}

fn moveMemory(address: u64, asid: u10, offset: usize, length: usize, to_memory: bool) error{Memory}!void {
    write(processor.DMA_LOW, .{ .ADDRESS = @truncate(address) });
    write(processor.DMA_HIGH, .{ .ADDRESS = @truncate(address >> 32) });
    write(processor.DMA_ASID, .{ .ASID = asid });
    fence();
    write(processor.DMA_START, .{ .OFFSET = @intCast(offset), .LENGTH = @intCast(length), .WRITE = to_memory });
    if (waitWhileBusy(processor.DMA_STATUS).ERROR) return error.Memory;
}

// The registers of DRAM's controller, and the table that tells of them. Only where DRAM has to be leveled.

/// The words of the map `dram_table`.
pub fn dramTable() [*]const volatile u32 {
    return @ptrFromInt(dram_table_base);
}

/// A register of the controller, at an offset in bytes that is a multiple of 4.
pub fn dramRead(offset: usize) u32 {
    return dramRegister(offset).*;
}

pub fn dramWrite(offset: usize, value: u32) void {
    dramRegister(offset).* = value;
}

fn dramRegister(offset: usize) *volatile u32 {
    return @ptrFromInt(dram_base + offset);
}

/// Lets all accesses through to DRAM, until reset.
pub fn openDram() void {
    write(processor.CONTROL, .{ .DRAM_OPEN = true });
}

/// Waits for cycles of the processor's clock, or longer.
pub fn wait(cycles: u32) void {
    const start = read(processor.TIMER).CYCLES;
    while (read(processor.TIMER).CYCLES -% start < cycles) {}
}

// Entropy.

/// Whether a health test has failed since reset.
pub fn entropyHasFailed() bool {
    const status = read(processor.ENTROPY_STATUS);
    return status.RCT_FAILED or status.APT_FAILED;
}

/// Waits for 32 bits that have passed the health tests.
pub fn entropyWord() error{Entropy}!u32 {
    while (true) {
        if (entropyHasFailed()) return error.Entropy;
        if (read(processor.ENTROPY_STATUS).READY) {
            const bits = read(processor.ENTROPY_DATA).WORD;
            write(processor.ENTROPY_TAKE, .{});
            return bits;
        }
    }
}

// What the host's hardware has told.

/// Whether every cache was written back and invalidated since `forgetFlush`.
pub fn cachesFlushed() bool {
    return read(processor.HOST_EVENTS).CACHE_FLUSHED;
}

pub fn forgetFlush() void {
    write(processor.HOST_EVENTS, .{});
}

// The engine.

/// Makes an empty slot serve its ASID with two keys.
pub fn engineInstall(slot: u10, data_key: *const [16]u8, tweak_key: *const [16]u8) kinds.EngineResult {
    writeKey(engine.KEY_DATA, data_key);
    writeKey(engine.KEY_TWEAK, tweak_key);
    return engineCommand(.INSTALL, slot);
}

/// Lets accesses under a slot finish, then erases it.
pub fn engineRetire(slot: u10) kinds.EngineResult {
    return engineCommand(.RETIRE, slot);
}

fn writeKey(comptime Register: type, key: *const [16]u8) void {
    for (words(engine_base, Register)[0..4], 0..) |*register, index|
        register.* = std.mem.readInt(u32, key[4 * index ..][0..4], .little);
}

fn engineCommand(operation: engine.COMMAND.Op, slot: u10) kinds.EngineResult {
    writeEngine(engine.COMMAND, .{ .OP = operation, .SLOT = slot });
    while (true) {
        const status = readEngine(engine.COMMAND_STATUS);
        if (!status.BUSY) return status.RESULT;
    }
}

/// Waits until the engine has tested itself, and returns whether it is well.
pub fn engineIsWell() bool {
    while (true) {
        const status = readEngine(engine.STATUS);
        if (status.SELF_TEST_FAILED or status.KEY_FAULT or status.UPSET) return false;
        if (!status.BUSY and !status.SELF_TEST_BUSY) return true;
    }
}

/// Sets what is encrypted for all time until reset, opens the engine, and returns whether it is open.
pub fn engineOpen(tsme: bool) bool {
    writeEngine(engine.MODE, .{ .SME = true, .TSME = tsme, .SEV = true });
    writeEngine(engine.CONTROL, .{ .RELEASE = true, .LOCK = true });
    const mode = readEngine(engine.MODE);
    const status = readEngine(engine.STATUS);
    return mode.SME and mode.TSME == tsme and mode.SEV and status.RELEASED and status.LOCKED;
}

// Boot.

const image_end = @extern(*const u8, .{ .name = "image_end" });

/// Whether the image in memory is what was built: the last of its words makes the checksum zero.
pub fn imageIsWhole() bool {
    var sum: u32 = 0;
    var address: usize = 0;
    while (address < @intFromPtr(image_end)) : (address += @sizeOf(u32)) {
        const place: *allowzero const volatile u32 = @ptrFromInt(address);
        sum = std.math.rotl(u32, sum, checksum_rotation) +% place.*;
    }
    return sum == 0;
}

const stack_bottom = @extern(*const u8, .{ .name = "stack_bottom" });
const stack_paint = @extern(*const u8, .{ .name = "stack_paint" });

/// Zeroes what calls have left on the stack, down to the deepest that any ever came to. Words that were never used keep
/// their paint, from which that is told; each of them is looked at, as a call may leave gaps.
pub noinline fn forgetStack() void {
    const end = asm volatile ("mv %[end], sp"
        : [end] "=r" (-> usize),
    );
    const start = @intFromPtr(stack_bottom);
    const stack = @as([*]volatile u32, @ptrFromInt(start))[0 .. (end - start) / @sizeOf(u32)];
    const paint = @intFromPtr(stack_paint);
    var place: usize = 0;
    painted: while (place + words_a_turn <= stack.len) : (place += words_a_turn) {
        inline for (0..words_a_turn) |index| if (stack[place + index] != paint) break :painted;
    }
    while (place < stack.len and stack[place] == paint) place += 1;
    while (place + words_a_turn <= stack.len) : (place += words_a_turn) {
        inline for (0..words_a_turn) |index| stack[place + index] = 0;
    }
    while (place < stack.len) : (place += 1) stack[place] = 0;
}

/// Nothing can write the image until reset.
pub fn lockCode() void {
    write(processor.CODE_END, .{ .ADDRESS = @intCast(@intFromPtr(image_end)) });
    write(processor.CONTROL, .{ .CODE_LOCK = true });
}

/// The device secret reads zero until reset.
pub fn hideSecret() void {
    write(processor.CONTROL, .{ .SECRET_HIDE = true });
}

pub fn releaseHost() void {
    write(processor.CONTROL, .{ .HOST_RELEASE = true });
}

/// Whether an access to registers was answered with an error since reset.
pub fn registersRefused() bool {
    return read(processor.BUS_ERROR).SEEN;
}

pub fn showCode(code: kinds.BootCode) void {
    write(processor.BOOT_CODE, .{ .CODE = code });
}
