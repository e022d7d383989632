//! A command that is carried out: its buffer, of which there is one copy.

const std = @import("std");
const guests = @import("guest.zig");
const memory = @import("memory.zig");

/// Bytes of the longest command buffer.
pub const most_bytes = 0x34;

pub const Request = struct {
    address: u64,
    bytes: [most_bytes]u8 align(8) = @splat(0),
    /// Whom the command is for, where it is for a guest.
    guest: *guests.Guest = undefined,

    /// The buffer as a structure.
    pub fn as(self: *const Request, comptime Buffer: type) *const Buffer {
        return @ptrCast(&self.bytes);
    }

    /// Writes a field of the host's buffer.
    pub fn answer(self: *const Request, offset: usize, value: anytype) error{InvalidAddress}!void {
        return memory.writeHost(self.address + offset, std.mem.asBytes(&value));
    }

    /// Requires that a length is enough, and else tells the host what is.
    pub fn requireRoom(
        self: *const Request,
        length: u32,
        needed: u32,
        offset: usize,
    ) error{ InvalidLength, InvalidAddress }!void {
        if (length >= needed) return;
        try self.answer(offset, needed);
        return error.InvalidLength;
    }
};

/// Requires that reserved bits are zero.
pub fn requireZero(bits: u32) error{InvalidParam}!void {
    if (bits != 0) return error.InvalidParam;
}
