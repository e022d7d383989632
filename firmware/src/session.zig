//! The keys that a guest's owner sends along with a launch, and how they are wrapped (SEV API, session).

const std = @import("std");
const aes_ctr = @import("aes_ctr.zig");
const ecdh = @import("ecdh.zig");
const hmac = @import("hmac.zig");
const kdf = @import("kdf.zig");
const p384 = @import("p384.zig");
const secrets = @import("wipe.zig");

pub const bytes = 0x80;

/// What encrypts and what authenticates between owner and security processor.
pub const Keys = extern struct {
    encryption: kdf.Key = @splat(0),
    integrity: kdf.Key = @splat(0),
};

pub const Session = extern struct {
    nonce: [16]u8,
    wrapped: [@sizeOf(Keys)]u8,
    iv: aes_ctr.Block,
    wrap_mac: hmac.Mac,
    policy_mac: hmac.Mac,

    /// The keys, if the owner of a public key has wrapped them for a private key and a policy.
    pub fn open(
        self: *const Session,
        owner: *const p384.Point,
        private: *const p384.Number,
        policy: u32,
    ) error{ InvalidCertificate, BadMeasurement }!Keys {
        var keys: Keys = undefined;
        errdefer secrets.wipe(&keys);
        var wrapping = try self.wrappingKeys(owner, private);
        defer secrets.wipe(&wrapping);
        try requireMac(&wrapping.integrity, &self.wrapped, &self.wrap_mac);
        @memcpy(std.mem.asBytes(&keys), &self.wrapped);
        aes_ctr.apply(&wrapping.encryption, &self.iv, std.mem.asBytes(&keys));
        try requireMac(&keys.integrity, std.mem.asBytes(&policy), &self.policy_mac);
        return keys;
    }

    fn wrappingKeys(self: *const Session, owner: *const p384.Point, private: *const p384.Number) !Keys {
        var shared = ecdh.agree(private, owner) orelse return error.InvalidCertificate;
        defer secrets.wipe(&shared);
        var master: kdf.Key = undefined;
        defer secrets.wipe(&master);
        kdf.derive(&shared, "sev-master-secret", &self.nonce, &master);
        var keys: Keys = undefined;
        kdf.derive(&master, "sev-kek", &.{}, &keys.encryption);
        kdf.derive(&master, "sev-kik", &.{}, &keys.integrity);
        return keys;
    }
};

fn requireMac(key: *const kdf.Key, message: []const u8, wanted: *const hmac.Mac) error{BadMeasurement}!void {
    var mac: hmac.Mac = undefined;
    defer secrets.wipe(&mac);
    hmac.hmac(key, &.{message}, &mac);
    if (!secrets.equal(&mac, wanted)) return error.BadMeasurement;
}

comptime {
    if (@sizeOf(Session) != bytes) @compileError("not the format of the SEV API");
}
