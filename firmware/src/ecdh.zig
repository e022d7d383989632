//! The shared secret of ECDH with P-384 (SP 800-56A, 5.7.1.2).

const p384 = @import("p384.zig");

pub const secret_bytes = p384.number_bytes;

/// The x coordinate of the product of a private and a public key, most significant byte first. Null if the public key
/// is no point of the curve.
pub fn agree(private: *const p384.Number, public: *const p384.Point) ?[secret_bytes]u8 {
    defer p384.forget();
    if (!p384.isOnCurve(public)) return null;
    p384.put(.scalar, private);
    if (p384.run(.POINT_MULTIPLY, .product, .scalar, .public)) return null;
    return p384.bigEndian(&p384.get(.product));
}
