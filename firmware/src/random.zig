//! Where secrets come from: a generator seeded from the entropy source.

const std = @import("std");
const Drbg = @import("drbg.zig").Drbg;
const machine = @import("machine.zig").machine;
const sha256 = @import("sha256.zig");
const wipe = @import("wipe.zig").wipe;

/// Raw words in each half of the seed material. At 0.3 bit of entropy a bit a half has 307 bits, and its hash 256.
const words_in_half = 32;

/// Requests after which the generator is reseeded.
const most_requests = 1000;

const Failure = error{HardwareErrorPlatform};

pub const Random = struct {
    drbg: Drbg = undefined,
    requests: u32 = 0,

    /// Instantiates the generator.
    pub fn start(self: *Random) Failure!void {
        var seed = try gather();
        defer wipe(&seed);
        self.drbg = .init(&.{std.mem.asBytes(&seed)});
        self.requests = 0;
    }

    /// Mixes fresh entropy in. With an error nothing has changed.
    pub fn reseed(self: *Random) Failure!void {
        var seed = try gather();
        defer wipe(&seed);
        self.drbg.reseed(&.{std.mem.asBytes(&seed)});
        self.requests = 0;
    }

    /// Fills with random bytes, as one request.
    pub fn fill(self: *Random, output: []u8) Failure!void {
        try requireSource();
        if (self.requests == most_requests) try self.reseed();
        self.requests += 1;
        self.drbg.generate(output);
    }

    /// Two different keys of the engine.
    pub fn keys(self: *Random, data_key: *[16]u8, tweak_key: *[16]u8) Failure!void {
        while (true) {
            try self.fill(data_key);
            try self.fill(tweak_key);
            if (!std.mem.eql(u8, data_key, tweak_key)) return;
        }
    }
};

/// Whether the source still passes its health tests, without which nothing random is made.
fn requireSource() Failure!void {
    if (machine.entropyHasFailed()) return error.HardwareErrorPlatform;
}

fn gather() Failure![2]sha256.Digest {
    try requireSource();
    var halves: [2]sha256.Digest = undefined;
    for (&halves) |*half| {
        var running: sha256.Sha256 = .{};
        defer wipe(&running);
        for (0..words_in_half) |_| {
            var word = machine.entropyWord() catch return error.HardwareErrorPlatform;
            defer wipe(&word);
            running.update(std.mem.asBytes(&word));
        }
        running.final(half);
    }
    return halves;
}
