//! The platform's keys and certificates: CEK of the device, OCA of the owner, PEK of the platform, PDH for sessions.

const std = @import("std");
const certificate = @import("certificate.zig");
const hmac = @import("hmac.zig");
const machine = @import("machine.zig").machine;
const p384 = @import("p384.zig");
const Random = @import("random.zig").Random;
const wipe = @import("wipe.zig").wipe;

const Certificate = certificate.Certificate;
const Seed = [p384.seed_bytes]u8;
const secret_bytes = 32;
const cek_label = "cbit-cek";
const id_label = "cbit-id";

const oca_slot = 0;
const cek_slot = 1;

const Key = struct {
    private: p384.Number = @splat(0),
    certificate: Certificate = undefined,

    fn make(self: *Key, seed: *const Seed, usage: certificate.Usage, algorithm: certificate.Algorithm) void {
        var pair = p384.keyPair(seed);
        defer wipe(&pair);
        self.private = pair.private;
        self.certificate.init(usage, algorithm, &pair.public);
    }
};

/// PEK and PDH in the making: those that they replace are kept until all are signed.
var made: struct { pek: Key = .{}, pdh: Key = .{} } = .{};

pub const Identity = struct {
    id: hmac.Mac = @splat(0),
    cek_seed: Seed = @splat(0),
    /// Whether there are CEK, OCA and PEK.
    certified: bool = false,
    /// Whether the OCA is someone else's.
    external: bool = false,
    cek: Key = .{},
    oca: Key = .{},
    pek: Key = .{},
    pdh: Key = .{},

    /// Takes from the device secret all that is made from it.
    pub fn derive(self: *Identity) void {
        var secret: [secret_bytes]u8 = undefined;
        defer wipe(&secret);
        machine.deviceSecret(&secret);
        hmac.hmac(&secret, &.{id_label}, &self.id);
        var last: hmac.Mac = undefined;
        defer wipe(&last);
        hmac.hmac(&secret, &.{ cek_label, &.{0} }, self.cek_seed[0..last.len]);
        hmac.hmac(&secret, &.{ cek_label, &.{1} }, &last);
        @memcpy(self.cek_seed[last.len..], last[0 .. self.cek_seed.len - last.len]);
    }

    /// Makes what there is not yet, and a new PDH. With an error nothing has changed.
    pub fn start(self: *Identity, random: *Random) !void {
        try random.reseed();
        var seeds: [3]Seed = undefined;
        defer wipe(&seeds);
        for (if (self.certified) seeds[2..] else &seeds) |*seed| try random.fill(seed);
        defer wipe(&made);
        errdefer if (!self.certified) wipe(&self.oca);
        if (!self.certified) {
            self.cek.make(&self.cek_seed, .cek, .ecdsa_sha256);
            self.oca.make(&seeds[0], .oca, .ecdsa_sha256);
            try self.oca.certificate.sign(oca_slot, .oca, &self.oca.private);
            try self.makePek(&seeds[1]);
        }
        try makePdh(&seeds[2], if (self.certified) &self.pek else &made.pek);
        if (!self.certified) self.pek = made.pek;
        self.pdh = made.pdh;
        self.certified = true;
    }

    /// Makes a new PEK and a new PDH. With an error nothing has changed.
    pub fn renewPek(self: *Identity, random: *Random) !void {
        var seeds: [2]Seed = undefined;
        defer wipe(&seeds);
        for (&seeds) |*seed| try random.fill(seed);
        defer wipe(&made);
        try self.makePek(&seeds[0]);
        try makePdh(&seeds[1], &made.pek);
        self.pek = made.pek;
        self.pdh = made.pdh;
    }

    /// Makes a new PDH. With an error nothing has changed.
    pub fn renewPdh(self: *Identity, random: *Random) !void {
        var seed: Seed = undefined;
        defer wipe(&seed);
        try random.fill(&seed);
        defer wipe(&made);
        try makePdh(&seed, &self.pek);
        self.pdh = made.pdh;
    }

    /// Erases the PDH.
    pub fn stop(self: *Identity) void {
        wipe(&self.pdh);
    }

    /// Erases OCA and PEK, and is nobody else's again.
    pub fn forget(self: *Identity) void {
        wipe(&self.oca);
        wipe(&self.pek);
        self.certified = false;
        self.external = false;
    }

    /// Makes the platform someone else's: who has signed the PEK with an OCA.
    pub fn take(
        self: *Identity,
        pek: *const Certificate,
        oca: *const Certificate,
    ) error{ InvalidCertificate, BadSignature }!void {
        if (!std.mem.eql(u8, pek.body(), self.pek.certificate.body())) return error.InvalidCertificate;
        if (!oca.isGood(.oca, .ecdsa_sha256)) return error.InvalidCertificate;
        const pek_signature = pek.signatureBy(.oca) orelse return error.InvalidCertificate;
        const oca_signature = oca.signatureBy(.oca) orelse return error.InvalidCertificate;
        const signer = oca.public();
        if (!oca.isSignedBy(oca_signature, &signer)) return error.BadSignature;
        if (!pek.isSignedBy(pek_signature, &signer)) return error.BadSignature;
        self.oca.certificate = oca.*;
        self.pek.certificate.signatures[oca_slot] = .{
            .usage = .oca,
            .algorithm = .ecdsa_sha256,
            .r = pek_signature.r,
            .s = pek_signature.s,
        };
        wipe(&self.oca.private);
        self.external = true;
    }

    fn makePek(self: *const Identity, seed: *const Seed) !void {
        made.pek.make(seed, .pek, .ecdsa_sha256);
        try made.pek.certificate.sign(oca_slot, .oca, &self.oca.private);
        try made.pek.certificate.sign(cek_slot, .cek, &self.cek.private);
    }
};

fn makePdh(seed: *const Seed, signer: *const Key) !void {
    made.pdh.make(seed, .pdh, .ecdh_sha256);
    try made.pdh.certificate.sign(0, .pek, &signer.private);
}
