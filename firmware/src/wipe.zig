//! Forgetting secrets, and comparing them.

const std = @import("std");

/// Zeroes what a pointer points at. The compiler can not drop it.
pub fn wipe(pointer: anytype) void {
    std.crypto.secureZero(u8, std.mem.asBytes(pointer));
}

/// Whether two MACs are the same. Takes the same time for all.
pub fn equal(first: *const [32]u8, second: *const [32]u8) bool {
    var difference: u8 = 0;
    for (first, second) |a, b| difference |= a ^ b;
    return difference == 0;
}
