//! HMAC_DRBG with SHA-256 (NIST SP 800-90A, 10.1.2), without additional input.

const hmac = @import("hmac.zig");
const sha256 = @import("sha256.zig");
const wipe = @import("wipe.zig").wipe;

/// A generator. RFC 6979's nonces come of the same algorithm: each is what a generator seeded with key and hash gives.
pub const Drbg = struct {
    key: sha256.Digest,
    value: sha256.Digest,

    /// Instantiated from pieces that make up the seed material.
    pub fn init(seed: []const []const u8) Drbg {
        var self: Drbg = .{ .key = @splat(0), .value = @splat(1) };
        self.reseed(seed);
        return self;
    }

    /// Mixes seed material in.
    pub fn reseed(self: *Drbg, seed: []const []const u8) void {
        self.mix(0, seed);
        self.mix(1, seed);
    }

    /// Fills with pseudorandom bytes. They can not be found from the generator afterwards.
    pub fn generate(self: *Drbg, output: []u8) void {
        var rest = output;
        while (rest.len > 0) {
            self.step();
            const taken = @min(rest.len, self.value.len);
            @memcpy(rest[0..taken], self.value[0..taken]);
            rest = rest[taken..];
        }
        self.mix(0, &.{});
    }

    fn mix(self: *Drbg, tag: u8, seed: []const []const u8) void {
        var running: hmac.Hmac = .init(&self.key);
        running.update(&self.value);
        running.update(&.{tag});
        for (seed) |piece| running.update(piece);
        running.final(&self.key);
        self.step();
    }

    fn step(self: *Drbg) void {
        var next: hmac.Mac = undefined;
        hmac.hmac(&self.key, &.{&self.value}, &next);
        self.value = next;
        wipe(&next);
    }
};
