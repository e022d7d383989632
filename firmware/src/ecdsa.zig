//! ECDSA with P-384 and SHA-256 (FIPS 186-5), with the nonces of RFC 6979.

const p384 = @import("p384.zig");
const sha256 = @import("sha256.zig");
const Drbg = @import("drbg.zig").Drbg;
const wipe = @import("wipe.zig").wipe;

pub const Signature = extern struct {
    r: p384.Number,
    s: p384.Number,
};

/// Nonces that are tried. That one is not taken has a chance of 2^-190, unless the unit is at fault.
const most_nonces = 8;

/// Signs a hash. The same key and hash always give the same signature. An error if the unit takes no nonce.
pub fn sign(private: *const p384.Number, digest: *const sha256.Digest) error{HardwareErrorPlatform}!Signature {
    const hash = p384.fromBigEndian(digest);
    var private_bytes = p384.bigEndian(private);
    defer wipe(&private_bytes);
    var nonces: Drbg = .init(&.{ &private_bytes, &p384.bigEndian(&hash) });
    defer wipe(&nonces);
    defer p384.forget();
    for (0..most_nonces) |_| {
        var bytes: [p384.number_bytes]u8 = undefined;
        defer wipe(&bytes);
        nonces.generate(&bytes);
        var nonce = p384.fromBigEndian(&bytes);
        defer wipe(&nonce);
        if (signWith(&nonce, private, &hash)) |signature| return signature;
    }
    return error.HardwareErrorPlatform;
}

fn signWith(nonce: *const p384.Number, private: *const p384.Number, hash: *const p384.Number) ?Signature {
    p384.put(.scalar, nonce);
    if (p384.isZero(nonce) or p384.run(.LESS, .scalar, .scalar, .scalar)) return null;
    p384.putGenerator();
    p384.put(.private, private);
    p384.put(.hash, hash);
    _ = p384.run(.POINT_MULTIPLY, .product, .scalar, .base);
    _ = p384.run(.REDUCE, .r, .product, .product);
    _ = p384.run(.MUL, .s, .r, .private);
    _ = p384.run(.ADD, .s, .s, .hash);
    _ = p384.run(.INVERT, .inverse, .scalar, .scalar);
    _ = p384.run(.MUL, .s, .s, .inverse);
    const signature: Signature = .{ .r = p384.get(.r), .s = p384.get(.s) };
    return if (p384.isZero(&signature.r) or p384.isZero(&signature.s)) null else signature;
}

/// Whether a signature of a hash is that of a public key. The key may be any two numbers, the signature too.
pub fn verify(public: *const p384.Point, digest: *const sha256.Digest, signature: *const Signature) bool {
    defer p384.forget();
    if (!p384.isOnCurve(public)) return false;
    p384.put(.r, &signature.r);
    p384.put(.s, &signature.s);
    if (p384.isZero(&signature.r) or p384.run(.LESS, .r, .r, .r)) return false;
    if (p384.isZero(&signature.s) or p384.run(.LESS, .s, .s, .s)) return false;
    p384.put(.hash, &p384.fromBigEndian(digest));
    p384.putGenerator();
    _ = p384.run(.INVERT, .inverse, .s, .s);
    _ = p384.run(.MUL, .left, .hash, .inverse);
    _ = p384.run(.MUL, .right, .r, .inverse);
    _ = p384.run(.POINT_MULTIPLY, .product, .left, .base);
    _ = p384.run(.POINT_MULTIPLY, .other, .right, .public);
    if (p384.run(.POINT_ADD, .product, .product, .other)) return false;
    _ = p384.run(.REDUCE, .product, .product, .product);
    const found = p384.get(.product);
    for (found, signature.r) |word, wanted| if (word != wanted) return false;
    return true;
}
