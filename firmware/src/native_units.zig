//! The units of the tests' machine as functions of C, for another machine of the tests that runs the firmware's image.

const native = @import("native.zig");

/// The bytes that `cbit_unit_hash` and `cbit_unit_cipher` work on.
export fn cbit_unit_buffer() *[native.buffer_bytes]u8 {
    return native.buffer();
}

export fn cbit_unit_hash(state: *[8]u32, offset: usize, blocks: usize) void {
    native.hash(state, offset, blocks);
}

export fn cbit_unit_cipher(key: *const [16]u8, counter: *[16]u8, offset: usize, blocks: usize) void {
    native.cipher(key, counter, offset, blocks);
}

export fn cbit_unit_p384_write(register: u32, number: *const [12]u32) void {
    native.p384Write(@intCast(register), number);
}

export fn cbit_unit_p384_read(register: u32, number: *[12]u32) void {
    native.p384Read(@intCast(register), number);
}

export fn cbit_unit_p384_run(operation: u32, modulus: u32, destination: u32, a: u32, b: u32) bool {
    return native.p384Run(
        @fromBackingInt(@intCast(operation)),
        @fromBackingInt(@intCast(modulus)),
        @intCast(destination),
        @intCast(a),
        @intCast(b),
    );
}
