//! From reset to the release of the host, or to a code that says why not.

const buffer = @import("buffer.zig");
const dram = @import("dram.zig");
const kinds = @import("machine.zig");
const self_test = @import("self_test.zig");
const state = &@import("state.zig").state;
const wipe = @import("wipe.zig").wipe;

const machine = kinds.machine;

const host_slot = 0;
const test_address = 0;
const test_pattern = "Cbit's self-test";

/// Tests all units, gives the host a fresh key, opens the engine for all time until reset, and releases the host. With
/// a code other than `UP` the host was not released, and nothing more may be done.
pub fn boot() kinds.BootCode {
    machine.showCode(.SELF_TESTS);
    const code = prepare();
    if (code == .UP) machine.releaseHost();
    machine.showCode(code);
    return code;
}

fn prepare() kinds.BootCode {
    buffer.forgetAll();
    if (!machine.imageIsWhole()) return .IMAGE;
    machine.lockCode();
    if (!self_test.sha()) return .SHA;
    if (!self_test.aes()) return .AES;
    if (!self_test.curve()) return .P384;
    if (!self_test.generator()) return .DRBG;
    if (!machine.engineIsWell()) return .ENGINE_TEST;
    state.random.start() catch return .ENTROPY;
    const refusal = installHostKey();
    if (refusal != .UP) return refusal;
    const tsme = machine.board().tsme;
    if (machine.board().levels_dram and !dram.level()) return .LEVELING;
    if (!machine.engineOpen(tsme)) return .ENGINE;
    if (!memoryIsEncrypted(tsme)) return .DMA;
    state.identity.derive();
    machine.hideSecret();
    return if (machine.registersRefused()) .ENGINE else .UP;
}

fn installHostKey() kinds.BootCode {
    var data_key: [16]u8 = undefined;
    var tweak_key: [16]u8 = undefined;
    defer wipe(&data_key);
    defer wipe(&tweak_key);
    state.random.keys(&data_key, &tweak_key) catch return .ENTROPY;
    return if (machine.engineInstall(host_slot, &data_key, &tweak_key) == .OK) .UP else .ENGINE_KEY;
}

/// Whether what is written with the C-bit set comes back so, and not without it unless TSME decrypts that, too. What
/// memory had is put back.
fn memoryIsEncrypted(tsme: bool) bool {
    var before: [test_pattern.len]u8 = undefined;
    var plain: [test_pattern.len]u8 = undefined;
    var decrypted: [test_pattern.len]u8 = undefined;
    const encrypted = test_address | @as(u64, 1) << machine.board().c_bit;
    read(test_address, &before) catch return false;
    write(encrypted, test_pattern) catch return false;
    read(test_address, &plain) catch return false;
    read(encrypted, &decrypted) catch return false;
    write(test_address, &before) catch return false;
    return isPattern(&decrypted) and isPattern(&plain) == tsme;
}

fn isPattern(bytes: *const [test_pattern.len]u8) bool {
    for (bytes, test_pattern) |byte, wanted| if (byte != wanted) return false;
    return true;
}

fn read(address: u64, bytes: *[test_pattern.len]u8) error{Memory}!void {
    try machine.readMemory(address, host_slot, buffer.transfer_offset, bytes.len);
    @memcpy(bytes, buffer.slice(buffer.transfer_offset, bytes.len));
}

fn write(address: u64, bytes: *const [test_pattern.len]u8) error{Memory}!void {
    @memcpy(buffer.slice(buffer.transfer_offset, bytes.len), bytes);
    try machine.writeMemory(address, host_slot, buffer.transfer_offset, bytes.len);
}
