//! AES-128 in counter mode (NIST SP 800-38A, 6.5).

const buffer = @import("buffer.zig");
const machine = @import("machine.zig").machine;

pub const block_bytes = 16;
pub const Block = [block_bytes]u8;

/// XORs bytes of the buffer with the key stream from a counter block on, and counts the block on. The bytes up to a
/// multiple of 16 are XORed too. The offset must be a multiple of 4.
pub fn applyInBuffer(key: *const Block, counter: *Block, offset: usize, length: usize) void {
    if (length > 0) machine.cipher(key, counter, offset, (length + block_bytes - 1) / block_bytes);
}

/// XORs at most `buffer.scratch_bytes` of the processor's memory with the key stream from a counter block on.
pub fn apply(key: *const Block, counter: *const Block, data: []u8) void {
    var running = counter.*;
    const area = buffer.slice(buffer.scratch_offset, data.len);
    @memcpy(area, data);
    applyInBuffer(key, &running, buffer.scratch_offset, data.len);
    @memcpy(data, area);
    buffer.forgetScratch();
}
