//! Known answers: whether each unit computes what it must.

const std = @import("std");
const aes_ctr = @import("aes_ctr.zig");
const Drbg = @import("drbg.zig").Drbg;
const ecdsa = @import("ecdsa.zig");
const p384 = @import("p384.zig");
const sha256 = @import("sha256.zig");

/// NIST's example of SHA-256 for one block, "abc".
pub fn sha() bool {
    var digest: sha256.Digest = undefined;
    sha256.hash("abc", &digest);
    return is(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/// NIST SP 800-38A, F.5.1, blocks 1 and 2.
pub fn aes() bool {
    const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
    const counter = fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    var data = fromHex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51").*;
    aes_ctr.apply(key, counter, &data);
    return is(&data, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
}

/// RFC 6979, A.2.6, SHA-256 of "sample"; and twice the generator. Comparison with the order comes first: were that
/// wrong, no nonce would ever be taken.
pub fn curve() bool {
    if (!p384.knowsOrder()) return false;
    const private = p384.fromBigEndian(
        fromHex("6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5"),
    );
    var digest: sha256.Digest = undefined;
    sha256.hash("sample", &digest);
    const signature = ecdsa.sign(&private, &digest) catch return false;
    p384.putGenerator();
    _ = p384.run(.POINT_ADD, .product, .base, .base);
    const double = p384.getPoint(.product);
    p384.forget();
    return is(
        &p384.bigEndian(&signature.r),
        "21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd",
    ) and is(
        &p384.bigEndian(&signature.s),
        "f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0",
    ) and is(
        &p384.bigEndian(&double.x),
        "08d999057ba3d2d969260045c55b97f089025959a6f434d651d207d19fb96e9e4fe0e86ebe0e64f85b96a9c75295df61",
    ) and p384.isOnCurve(&double) and !p384.isOnCurve(&.{ .x = double.x, .y = double.x });
}

/// NIST CAVP, HMAC_DRBG, SHA-256 without reseed, first case: the start of its second answer.
pub fn generator() bool {
    const entropy = fromHex("ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488");
    const nonce = fromHex("659ba96c601dc69fc902940805ec0ca8");
    var drbg: Drbg = .init(&.{ entropy, nonce });
    var output: [128]u8 = undefined;
    drbg.generate(&output);
    drbg.generate(&output);
    return is(output[0..32], "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89");
}

fn is(bytes: []const u8, comptime hex: []const u8) bool {
    return std.mem.eql(u8, bytes, fromHex(hex));
}

fn fromHex(comptime hex: []const u8) *const [hex.len / 2]u8 {
    const bytes = comptime found: {
        @setEvalBranchQuota(10_000);
        var result: [hex.len / 2]u8 = undefined;
        _ = std.fmt.hexToBytes(&result, hex) catch unreachable;
        break :found result;
    };
    return &bytes;
}
