//! SHA-256 (FIPS 180-4) of a message that comes in pieces.

const std = @import("std");
const buffer = @import("buffer.zig");
const machine = @import("machine.zig").machine;
const wipe = @import("wipe.zig").wipe;

pub const digest_bytes = 32;
pub const Digest = [digest_bytes]u8;

const block_bytes = buffer.hash_block_bytes;
const length_offset = block_bytes - 8;
const first_pad = 0x80;
const most_blocks = buffer.transfer_bytes / block_bytes;

const initial = [8]u32{
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/// A hash of the message so far. It is a plain value: a copy goes its own way.
pub const Sha256 = struct {
    state: [8]u32 = initial,
    length: u64 = 0,
    pending: [block_bytes]u8 align(@alignOf(u32)) = @splat(0),

    /// Appends bytes of the processor's memory.
    pub fn update(self: *Sha256, message: []const u8) void {
        var rest = message;
        while (rest.len > 0) {
            const filled = self.pendingBytes();
            const taken = @min(rest.len, block_bytes - filled);
            @memcpy(self.pending[filled..][0..taken], rest[0..taken]);
            self.length += taken;
            rest = rest[taken..];
            if (self.pendingBytes() == 0) self.compressPending();
        }
    }

    /// Appends bytes that lie in the buffer, at most `buffer.transfer_bytes`. Offset and length, and the length of all
    /// before, must be multiples of 4. The `hash_block_bytes` before the offset are used as scratch.
    pub fn updateInBuffer(self: *Sha256, offset: usize, length: usize) void {
        const filled = self.pendingBytes();
        const start = offset - filled;
        const blocks = (filled + length) / block_bytes;
        const rest = (filled + length) % block_bytes;
        @memcpy(buffer.slice(start, filled), self.pending[0..filled]);
        var done: usize = 0;
        while (done < blocks) {
            const count = @min(blocks - done, most_blocks);
            machine.hash(&self.state, start + done * block_bytes, count);
            done += count;
        }
        @memcpy(self.pending[0..rest], buffer.slice(start + blocks * block_bytes, rest));
        self.length += length;
    }

    /// Ends the message. The hash holds nothing of it afterwards.
    pub fn final(self: *Sha256, digest: *Digest) void {
        const filled = self.pendingBytes();
        self.pending[filled] = first_pad;
        @memset(self.pending[filled + 1 ..], 0);
        if (filled >= length_offset) {
            self.compressPending();
            self.pending = @splat(0);
        }
        std.mem.writeInt(u64, self.pending[length_offset..], self.length * 8, .big);
        self.compressPending();
        for (self.state, 0..) |word, index| std.mem.writeInt(u32, digest[4 * index ..][0..4], word, .big);
        wipe(self);
    }

    fn pendingBytes(self: *const Sha256) usize {
        return @intCast(self.length % block_bytes);
    }

    fn compressPending(self: *Sha256) void {
        @memcpy(buffer.slice(buffer.scratch_offset, block_bytes), &self.pending);
        machine.hash(&self.state, buffer.scratch_offset, 1);
    }
};

/// The hash of a message that is at hand.
pub fn hash(message: []const u8, digest: *Digest) void {
    var running: Sha256 = .{};
    running.update(message);
    running.final(digest);
}
