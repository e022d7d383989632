//! Numbers, points and key pairs of the curve P-384 (FIPS 186-5, SP 800-186), on the unit that computes with them.

const std = @import("std");
const kinds = @import("machine.zig");
const machine = kinds.machine;
const wipe = @import("wipe.zig").wipe;

pub const number_bytes = 48;
const number_words = number_bytes / 4;

/// A number below 2^384, least significant word first: on this little-endian machine its bytes are little-endian.
pub const Number = [number_words]u32;

/// An affine point; that with both coordinates zero stands for infinity.
pub const Point = extern struct {
    x: Number,
    y: Number,
};

pub const KeyPair = struct {
    private: Number,
    public: Point,
};

/// Random bytes that a private key is made of: 64 bits more than the key, so that it has no bias (FIPS 186-5, A.2.1).
pub const seed_bytes = number_bytes + 8;

/// What the unit's registers hold. The second register of a point is that of y.
pub const Register = enum(u6) {
    scalar = 0,
    base = 2,
    product = 4,
    public = 6,
    other = 8,
    r = 10,
    s = 11,
    hash = 12,
    private = 13,
    inverse = 14,
    left = 15,
    right = 16,

    pub fn y(self: Register) u6 {
        return @backingInt(self) + 1;
    }
};

const zero: Number = @splat(0);

const generator: Point = .{
    .x = numberOf(0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7),
    .y = numberOf(0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
};

const order_less_one =
    numberOf(0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52972);

fn numberOf(value: u384) Number {
    return @bitCast(value);
}

pub fn put(register: Register, number: *const Number) void {
    machine.p384Write(@backingInt(register), number);
}

pub fn putPoint(register: Register, point: *const Point) void {
    machine.p384Write(@backingInt(register), &point.x);
    machine.p384Write(register.y(), &point.y);
}

pub fn get(register: Register) Number {
    var number: Number = undefined;
    machine.p384Read(@backingInt(register), &number);
    return number;
}

pub fn getPoint(register: Register) Point {
    var point: Point = undefined;
    machine.p384Read(@backingInt(register), &point.x);
    machine.p384Read(register.y(), &point.y);
    return point;
}

/// Puts the generator of the group where programs expect a point to multiply.
pub fn putGenerator() void {
    putPoint(.base, &generator);
}

/// Runs one operation modulo the order of the group, or of points. Returns the unit's flag.
pub fn run(operation: kinds.Operation, destination: Register, a: Register, b: Register) bool {
    return machine.p384Run(operation, .N, @backingInt(destination), @backingInt(a), @backingInt(b));
}

/// Whether a point is on the curve: coordinates below the prime, and not infinity.
pub fn isOnCurve(point: *const Point) bool {
    putPoint(.public, point);
    return !run(.ON_CURVE, .public, .public, .public);
}

/// Whether the unit tells that the group's order less one is less than the order, and one more is not.
pub fn knowsOrder() bool {
    put(.left, &order_less_one);
    put(.right, &numberOf(@as(u384, @bitCast(order_less_one)) + 1));
    return !run(.LESS, .left, .left, .left) and run(.LESS, .right, .right, .right);
}

/// Zeroes every register of the unit.
pub fn forget() void {
    _ = run(.WIPE, .scalar, .scalar, .scalar);
}

pub fn isZero(number: *const Number) bool {
    var bits: u32 = 0;
    for (number) |word| bits |= word;
    return bits == 0;
}

/// The 48 bytes of a number, most significant first.
pub fn bigEndian(number: *const Number) [number_bytes]u8 {
    var bytes: [number_bytes]u8 = undefined;
    for (number, 0..) |word, index| std.mem.writeInt(u32, bytes[number_bytes - 4 * (index + 1) ..][0..4], word, .big);
    return bytes;
}

/// The number of at most 48 bytes, most significant first.
pub fn fromBigEndian(bytes: []const u8) Number {
    var number = zero;
    const place = std.mem.asBytes(&number);
    for (bytes, 0..) |byte, index| place[bytes.len - 1 - index] = byte;
    return number;
}

/// The key pair that a seed gives: the seed as a big-endian number modulo the group's order less one, plus one. Takes
/// the same time for all seeds.
pub fn keyPair(seed: *const [seed_bytes]u8) KeyPair {
    var pair: KeyPair = .{ .private = reduced(seed), .public = undefined };
    put(.scalar, &pair.private);
    putGenerator();
    _ = run(.POINT_MULTIPLY, .product, .scalar, .base);
    pair.public = getPoint(.product);
    forget();
    return pair;
}

fn reduced(seed: *const [seed_bytes]u8) Number {
    var number = fromBigEndian(seed[0..number_bytes]);
    subtractOnce(&number, 0);
    for (seed[number_bytes..]) |byte| {
        for (0..8) |place| {
            const bit: u32 = byte >> @intCast(7 - place) & 1;
            subtractOnce(&number, doubled(&number, bit));
        }
    }
    _ = increased(&number);
    return number;
}

/// Doubles, adds a bit, and returns the carry.
fn doubled(number: *Number, bit: u32) u32 {
    var carry = bit;
    for (number) |*word| {
        const next = word.* >> 31;
        word.* = word.* << 1 | carry;
        carry = next;
    }
    return carry;
}

/// Subtracts the group's order less one where a number, with its bit 384 given, is not below it.
fn subtractOnce(number: *Number, top: u32) void {
    var difference: Number = undefined;
    defer wipe(&difference);
    var borrow: u1 = 0;
    for (number, order_less_one, &difference) |word, modulus, *result| {
        const first, const first_borrow = @subWithOverflow(word, modulus);
        result.*, const second_borrow = @subWithOverflow(first, borrow);
        borrow = first_borrow | second_borrow;
    }
    const keep = @as(u32, 0) -% (@as(u32, borrow) & ~top);
    for (number, difference) |*word, result| word.* = (word.* & keep) | (result & ~keep);
}

fn increased(number: *Number) u1 {
    var carry: u1 = 1;
    for (number) |*word| word.*, carry = @addWithOverflow(word.*, carry);
    return carry;
}
