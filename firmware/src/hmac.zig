//! HMAC-SHA256 (FIPS 198-1) of a message that comes in pieces.

const buffer = @import("buffer.zig");
const sha256 = @import("sha256.zig");
const wipe = @import("wipe.zig").wipe;

pub const Mac = sha256.Digest;

const block_bytes = buffer.hash_block_bytes;
const inner_pad = 0x36;
const outer_pad = 0x5c;

/// A MAC of the message so far.
pub const Hmac = struct {
    inner: sha256.Sha256,
    outer: sha256.Sha256,

    pub fn init(key: []const u8) Hmac {
        var block: [block_bytes]u8 = @splat(0);
        defer wipe(&block);
        if (key.len > block_bytes)
            sha256.hash(key, block[0..sha256.digest_bytes])
        else
            @memcpy(block[0..key.len], key);
        var self: Hmac = .{ .inner = .{}, .outer = .{} };
        for (&block) |*byte| byte.* ^= inner_pad;
        self.inner.update(&block);
        for (&block) |*byte| byte.* ^= inner_pad ^ outer_pad;
        self.outer.update(&block);
        return self;
    }

    pub fn update(self: *Hmac, message: []const u8) void {
        self.inner.update(message);
    }

    /// Ends the message. Nothing of the key is left afterwards.
    pub fn final(self: *Hmac, mac: *Mac) void {
        var digest: sha256.Digest = undefined;
        self.inner.final(&digest);
        self.outer.update(&digest);
        self.outer.final(mac);
        wipe(&digest);
    }
};

/// The MAC of a message that is at hand in pieces.
pub fn hmac(key: []const u8, pieces: []const []const u8, mac: *Mac) void {
    var running: Hmac = .init(key);
    for (pieces) |piece| running.update(piece);
    running.final(mac);
}
