//! Who may use which bytes of the buffer that the processor shares with the units.

const std = @import("std");
const machine = @import("machine.zig").machine;

/// Bytes of a SHA-256 block.
pub const hash_block_bytes = 64;

/// Most bytes that one transfer moves between the buffer and memory.
pub const transfer_bytes = 4096;

/// Where a transfer of an address that is a multiple of 16 starts. One of another address starts up to 15 bytes later.
/// Before it there is room for the bytes of a hash that did not fill a block.
pub const transfer_offset = hash_block_bytes;

/// Where bytes of the processor's own memory are put for a unit.
pub const scratch_offset = machine.buffer_bytes - scratch_bytes;
pub const scratch_bytes = 256;

comptime {
    if (transfer_offset + 16 + transfer_bytes > scratch_offset) @compileError("the buffer is too small");
}

/// Zeroes all of it: a reset leaves it as it was.
pub fn forgetAll() void {
    forget(0, machine.buffer_bytes);
}

/// Zeroes what units were given of the processor's own memory.
pub fn forgetScratch() void {
    forget(scratch_offset, scratch_bytes);
}

/// Zeroes what was transferred.
pub fn forgetTransfer() void {
    forget(transfer_offset, transfer_bytes + 16);
}

fn forget(offset: usize, length: usize) void {
    std.crypto.secureZero(u8, slice(offset, length));
}

/// Some bytes of the buffer.
pub fn slice(offset: usize, length: usize) []u8 {
    return machine.buffer()[offset..][0..length];
}
