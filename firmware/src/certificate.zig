//! Certificates of the SEV API: 0x824 bytes that bind a public key of P-384 to what it is for.

const std = @import("std");
const ecdsa = @import("ecdsa.zig");
const p384 = @import("p384.zig");
const sha256 = @import("sha256.zig");
const version = @import("version.zig");

pub const bytes = 0x824;

/// What a key is for (SEV API, key usage).
pub const Usage = enum(u32) {
    none = 0,
    unused = 0x1000,
    oca = 0x1001,
    pek = 0x1002,
    pdh = 0x1003,
    cek = 0x1004,
    _,
};

/// What is done with it (SEV API, signature algorithms).
pub const Algorithm = enum(u32) {
    none = 0,
    ecdsa_sha256 = 2,
    ecdh_sha256 = 3,
    _,
};

const Curve = enum(u32) { none = 0, p384 = 2, _ };

const format_version = 1;

/// A number in a field that has room for larger curves.
const Wide = extern struct {
    number: p384.Number = @splat(0),
    upper: [24]u8 = @splat(0),

    fn fits(self: *const Wide) bool {
        return std.mem.allEqual(u8, &self.upper, 0);
    }
};

pub const Signature = extern struct {
    usage: Usage = .unused,
    algorithm: Algorithm = .none,
    r: Wide = .{},
    s: Wide = .{},
    zero: [0x170]u8 = @splat(0),
};

pub const Certificate = extern struct {
    version: u32 = format_version,
    api_major: u8 = 0,
    api_minor: u8 = 0,
    reserved: u16 = 0,
    usage: Usage,
    algorithm: Algorithm,
    curve: Curve = .p384,
    x: Wide,
    y: Wide,
    zero: [0x370]u8 = @splat(0),
    signatures: [2]Signature = @splat(.{}),

    /// One for a public key, without signatures.
    pub fn init(self: *Certificate, usage: Usage, algorithm: Algorithm, key: *const p384.Point) void {
        self.* = .{
            .usage = usage,
            .algorithm = algorithm,
            .x = .{ .number = key.x },
            .y = .{ .number = key.y },
        };
        if (usage != .pek) return;
        self.api_major = version.major;
        self.api_minor = version.minor;
    }

    pub fn public(self: *const Certificate) p384.Point {
        return .{ .x = self.x.number, .y = self.y.number };
    }

    /// The bytes that signatures are of.
    pub fn body(self: *const Certificate) *const [body_bytes]u8 {
        return std.mem.asBytes(self)[0..body_bytes];
    }

    /// Signs with a private key of a usage. With an error nothing has changed.
    pub fn sign(
        self: *Certificate,
        index: usize,
        usage: Usage,
        private: *const p384.Number,
    ) error{HardwareErrorPlatform}!void {
        var digest: sha256.Digest = undefined;
        sha256.hash(self.body(), &digest);
        const signature = try ecdsa.sign(private, &digest);
        self.signatures[index] = .{
            .usage = usage,
            .algorithm = .ecdsa_sha256,
            .r = .{ .number = signature.r },
            .s = .{ .number = signature.s },
        };
    }

    /// Whether it says what one of a usage must, and its key is a point of the curve. Signatures are not looked at.
    pub fn isGood(self: *const Certificate, usage: Usage, algorithm: Algorithm) bool {
        if (self.version != format_version or self.reserved != 0) return false;
        if (self.usage != usage or self.algorithm != algorithm or self.curve != .p384) return false;
        if (!self.x.fits() or !self.y.fits() or !std.mem.allEqual(u8, &self.zero, 0)) return false;
        return p384.isOnCurve(&self.public());
    }

    /// The first signature by a key of a usage.
    pub fn signatureBy(self: *const Certificate, usage: Usage) ?*const Signature {
        for (&self.signatures) |*signature|
            if (signature.usage == usage and signature.algorithm == .ecdsa_sha256) return signature;
        return null;
    }

    /// Whether a signature on it is that of a public key.
    pub fn isSignedBy(self: *const Certificate, signature: *const Signature, signer: *const p384.Point) bool {
        if (!signature.r.fits() or !signature.s.fits()) return false;
        var digest: sha256.Digest = undefined;
        sha256.hash(self.body(), &digest);
        return ecdsa.verify(signer, &digest, &.{ .r = signature.r.number, .s = signature.s.number });
    }
};

const body_bytes = @offsetOf(Certificate, "signatures");

comptime {
    if (@sizeOf(Certificate) != bytes or body_bytes != 0x414) @compileError("not the format of the SEV API");
}
