//! The unit for P-384 in the tests' machine: its registers and operations, computed by the standard library.

const std = @import("std");
const kinds = @import("machine.zig");

const P384 = std.crypto.ecc.P384;
const Scalar = P384.scalar.Scalar;
const Number = [12]u32;
const Bytes = [48]u8;

var registers: [64]Number = @splat(@splat(0));

pub fn write(register: u6, number: *const Number) void {
    registers[register] = number.*;
}

pub fn read(register: u6, number: *Number) void {
    number.* = registers[register];
}

pub fn wipe() void {
    registers = @splat(@splat(0));
}

/// Runs an operation as the unit does. What the unit asks of its operands is asserted.
pub fn run(operation: kinds.Operation, modulus: kinds.Modulus, destination: u6, a: u6, b: u6) bool {
    switch (operation) {
        .POINT_MULTIPLY => return putPoint(destination, multiply(bytes(a), point(b).?)),
        .POINT_ADD => return putPoint(destination, point(a).?.add(point(b).?)),
        .ON_CURVE => return isZero(a) and isZero(a + 1) or point(a) == null,
        .LESS => return !isLess(a, modulus),
        .COPY => registers[destination] = registers[a],
        .REDUCE => registers[destination] = @bitCast(reduced(a, modulus)),
        .WIPE => wipe(),
        else => registers[destination] = @bitCast(switch (modulus) {
            .P => compute(P384.Fe, operation, bytes(a), bytes(b)),
            .N => compute(Scalar, operation, bytes(a), bytes(b)),
        }),
    }
    return isZero(destination);
}

fn bytes(register: u6) Bytes {
    return @bitCast(registers[register]);
}

fn isZero(register: u6) bool {
    return std.mem.allEqual(u32, &registers[register], 0);
}

fn isLess(register: u6, modulus: kinds.Modulus) bool {
    return if (modulus == .P) isBelow(P384.Fe, register) else isBelow(Scalar, register);
}

fn isBelow(comptime Field: type, register: u6) bool {
    _ = Field.fromBytes(bytes(register), .little) catch return false;
    return true;
}

fn compute(comptime Field: type, operation: kinds.Operation, a: Bytes, b: Bytes) Bytes {
    const x = Field.fromBytes(a, .little) catch unreachable;
    if (operation == .INVERT) return x.invert().toBytes(.little);
    const y = Field.fromBytes(b, .little) catch unreachable;
    const result = switch (operation) {
        .ADD => x.add(y),
        .SUB => x.sub(y),
        .MUL => x.mul(y),
        else => unreachable,
    };
    return result.toBytes(.little);
}

fn reduced(register: u6, modulus: kinds.Modulus) Bytes {
    const number = std.mem.readInt(u384, &bytes(register), .little);
    const below: u384 = if (modulus == .P) P384.Fe.field_order else P384.scalar.field_order;
    var result: Bytes = undefined;
    std.mem.writeInt(u384, &result, number % below, .little);
    return result;
}

/// The point of two registers, infinity for zeros, and null if it is not on the curve.
fn point(register: u6) ?P384 {
    if (isZero(register) and isZero(register + 1)) return P384.identityElement;
    return P384.fromSerializedAffineCoordinates(bytes(register), bytes(register + 1), .little) catch null;
}

fn multiply(scalar: Bytes, base: P384) P384 {
    return base.mul(scalar, .little) catch P384.identityElement;
}

fn putPoint(register: u6, result: P384) bool {
    const infinite = if (result.rejectIdentity()) |_| false else |_| true;
    const affine = result.affineCoordinates();
    registers[register] = if (infinite) @splat(0) else @bitCast(affine.x.toBytes(.little));
    registers[register + 1] = if (infinite) @splat(0) else @bitCast(affine.y.toBytes(.little));
    return infinite;
}
