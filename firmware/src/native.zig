//! The machine of the tests: a process of the machine that runs them.
//!
//! The units' work is done by the standard library, which knows nothing of ours. Memory, entropy, engine and events are
//! the test's.

const std = @import("std");
const kinds = @import("machine.zig");
const unit = @import("native_p384.zig");

pub const buffer_bytes = 8192;

/// What a test gives: functions of C that return zero for success.
pub const Surroundings = extern struct {
    read: *const fn (address: u64, asid: u32, data: [*]u8, length: u32) callconv(.c) u32,
    write: *const fn (address: u64, asid: u32, data: [*]const u8, length: u32) callconv(.c) u32,
    entropy: *const fn (word: *u32) callconv(.c) u32,
    /// Zero if no health test of the entropy source has failed.
    entropy_failed: *const fn () callconv(.c) u32,
    install: *const fn (slot: u32, data_key: *const [16]u8, tweak_key: *const [16]u8) callconv(.c) u32,
    retire: *const fn (slot: u32) callconv(.c) u32,
    /// Zero if the engine's self-test has passed.
    self_test: *const fn () callconv(.c) u32,
    /// Zero if the engine has opened.
    open: *const fn (tsme: u32) callconv(.c) u32,
    /// Nonzero if caches were flushed since `forget_flush`.
    caches_flushed: *const fn () callconv(.c) u32,
    forget_flush: *const fn () callconv(.c) void,
    tsme: u32,
    c_bit: u32,
    asid_count: u32,
    memory_pages: u32,
    device_secret: [32]u8,
    /// The words of the map `dram_table`, or null if DRAM needs no leveling.
    dram_table: ?[*]const u32,
    /// Registers of DRAM's controller, by their offsets.
    dram_read: *const fn (offset: u32) callconv(.c) u32,
    dram_write: *const fn (offset: u32, value: u32) callconv(.c) void,
    /// Cycles pass.
    wait: *const fn (cycles: u32) callconv(.c) void,
    open_dram: *const fn () callconv(.c) void,
};

pub var surroundings: Surroundings = undefined;
pub var shown: kinds.BootCode = .NOT_BEGUN;
pub var host_released = false;

var shared: [buffer_bytes]u8 align(@alignOf(u32)) = @splat(0);
var secret_hidden = false;

/// What a reset does. The buffer stays as it is.
pub fn reset(given: *const Surroundings) void {
    surroundings = given.*;
    shown = .NOT_BEGUN;
    host_released = false;
    secret_hidden = false;
    unit.wipe();
}

pub fn buffer() *[buffer_bytes]u8 {
    return &shared;
}

pub fn board() kinds.Board {
    return .{
        .tsme = surroundings.tsme != 0,
        .c_bit = @intCast(surroundings.c_bit),
        .asid_count = surroundings.asid_count,
        .memory_pages = surroundings.memory_pages,
        .levels_dram = surroundings.dram_table != null,
    };
}

pub fn deviceSecret(secret: *[32]u8) void {
    secret.* = if (secret_hidden) @splat(0) else surroundings.device_secret;
}

pub fn hash(state: *[8]u32, offset: usize, blocks: usize) void {
    std.debug.assert(offset % 4 == 0 and blocks >= 1 and blocks <= 128);
    var running = std.crypto.hash.sha2.Sha256.init(.{});
    running.s = state.*;
    running.update(shared[offset..][0 .. 64 * blocks]);
    state.* = running.s;
}

pub fn cipher(key: *const [16]u8, counter: *[16]u8, offset: usize, blocks: usize) void {
    std.debug.assert(offset % 4 == 0 and blocks >= 1 and blocks <= 512);
    const aes = std.crypto.core.aes.Aes128.initEnc(key.*);
    for (0..blocks) |block| {
        const data = shared[offset + 16 * block ..][0..16];
        aes.xor(data, data, counter.*);
        std.mem.writeInt(u128, counter, std.mem.readInt(u128, counter, .big) +% 1, .big);
    }
}

pub const p384Write = unit.write;
pub const p384Read = unit.read;
pub const p384Run = unit.run;

pub fn readMemory(address: u64, asid: u10, offset: usize, length: usize) error{Memory}!void {
    requireTransfer(address, offset, length);
    const place = shared[offset..][0..length];
    if (surroundings.read(address, asid, place.ptr, @intCast(length)) != 0) {
        @memset(place, 0);
        return error.Memory;
    }
}

pub fn writeMemory(address: u64, asid: u10, offset: usize, length: usize) error{Memory}!void {
    requireTransfer(address, offset, length);
    if (surroundings.write(address, asid, shared[offset..].ptr, @intCast(length)) != 0) return error.Memory;
}

fn requireTransfer(address: u64, offset: usize, length: usize) void {
    std.debug.assert(length >= 1 and length <= 4096 and offset + length <= buffer_bytes);
    std.debug.assert(offset % 16 == address % 16 and address +% length > address);
}

pub fn dramTable() [*]const volatile u32 {
    return surroundings.dram_table.?;
}

pub fn dramRead(offset: usize) u32 {
    return surroundings.dram_read(@intCast(offset));
}

pub fn dramWrite(offset: usize, value: u32) void {
    surroundings.dram_write(@intCast(offset), value);
}

pub fn openDram() void {
    surroundings.open_dram();
}

pub fn wait(cycles: u32) void {
    surroundings.wait(cycles);
}

pub fn entropyHasFailed() bool {
    return surroundings.entropy_failed() != 0;
}

pub fn entropyWord() error{Entropy}!u32 {
    var word: u32 = undefined;
    return if (surroundings.entropy(&word) == 0) word else error.Entropy;
}

pub fn cachesFlushed() bool {
    return surroundings.caches_flushed() != 0;
}

pub fn forgetFlush() void {
    surroundings.forget_flush();
}

pub fn engineInstall(slot: u10, data_key: *const [16]u8, tweak_key: *const [16]u8) kinds.EngineResult {
    return @fromBackingInt(@intCast(surroundings.install(slot, data_key, tweak_key)));
}

pub fn engineRetire(slot: u10) kinds.EngineResult {
    return @fromBackingInt(@intCast(surroundings.retire(slot)));
}

pub fn engineIsWell() bool {
    return surroundings.self_test() == 0;
}

pub fn engineOpen(tsme: bool) bool {
    return surroundings.open(@intFromBool(tsme)) == 0;
}

/// There is none that could be damaged.
pub fn imageIsWhole() bool {
    return true;
}

pub fn lockCode() void {}

pub fn hideSecret() void {
    secret_hidden = true;
}

pub fn releaseHost() void {
    host_released = true;
}

pub fn registersRefused() bool {
    return false;
}

pub fn showCode(code: kinds.BootCode) void {
    shown = code;
}
