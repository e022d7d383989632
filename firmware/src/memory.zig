//! Memory as commands name it: which ranges are taken, and how their bytes come and go.

const buffer = @import("buffer.zig");
const Guest = @import("guest.zig").Guest;
const machine = @import("machine.zig").machine;
const Range = @import("ranges.zig").Range;
const state = &@import("state.zig").state;

const page_bytes = 4096;
const granule_bytes = 16;
const host_asid = 0;
const no_guest = 0;

const Failure = error{InvalidAddress};

/// The address with the C-bit set.
pub fn private(address: u64) u64 {
    return address | cBit();
}

/// The range that an address names with its C-bit cleared, which lies in memory.
pub fn rangeOf(address: u64, length: u32) Failure!Range {
    const start = address & ~cBit();
    const memory_bytes = @as(u64, machine.board().memory_pages) * page_bytes;
    if (start > memory_bytes or length > memory_bytes - start) return error.InvalidAddress;
    return .{ .start = start, .end = start + length };
}

/// Requires that a range lies in memory and in no guest's private memory.
pub fn requireHost(address: u64, length: u32) Failure!void {
    if (state.ranges.foreign(try rangeOf(address, length), no_guest)) return error.InvalidAddress;
}

/// Requires that an address is a multiple of 16.
pub fn requireAligned(address: u64) Failure!void {
    if (address % granule_bytes != 0) return error.InvalidAddress;
}

/// Requires that a length is a multiple of 16, and not zero.
pub fn requireWhole(length: u32) error{InvalidLength}!void {
    if (length == 0 or length % granule_bytes != 0) return error.InvalidLength;
}

/// Requires that a range lies in memory and in no other guest's private memory.
pub fn requireGuest(guest: *const Guest, address: u64, length: u32) Failure!void {
    try requireAligned(address);
    if (state.ranges.foreign(try rangeOf(address, length), guest.handle)) return error.InvalidAddress;
}

/// Copies memory, as the host would read it.
pub fn readHost(address: u64, destination: []u8) Failure!void {
    var done: usize = 0;
    while (done < destination.len) {
        const taken = @min(destination.len - done, buffer.transfer_bytes);
        const piece = try fetchHost(address + done, taken);
        @memcpy(destination[done..][0..taken], piece);
        done += taken;
    }
}

/// Copies to memory, as the host would write it.
pub fn writeHost(address: u64, source: []const u8) Failure!void {
    var done: usize = 0;
    while (done < source.len) {
        const taken = @min(source.len - done, buffer.transfer_bytes);
        @memcpy(buffer.slice(place(address + done), taken), source[done..][0..taken]);
        try putHost(address + done, taken);
        done += taken;
    }
}

/// Brings at most `buffer.transfer_bytes` of the host into the buffer.
pub fn fetchHost(address: u64, length: usize) Failure![]u8 {
    machine.readMemory(address, host_asid, place(address), length) catch return error.InvalidAddress;
    return buffer.slice(place(address), length);
}

/// Writes bytes that lie in the buffer as the host would.
pub fn putHost(address: u64, length: usize) Failure!void {
    machine.writeMemory(address, host_asid, place(address), length) catch return error.InvalidAddress;
}

/// Brings at most `buffer.transfer_bytes` of a guest into the buffer, decrypted.
pub fn fetchGuest(guest: *const Guest, address: u64, length: usize) Failure!void {
    machine.readMemory(private(address), guest.asid, place(address), length) catch return error.InvalidAddress;
}

/// Writes bytes that lie in the buffer, encrypted for a guest.
pub fn putGuest(guest: *const Guest, address: u64, length: usize) Failure!void {
    machine.writeMemory(private(address), guest.asid, place(address), length) catch return error.InvalidAddress;
}

fn place(address: u64) usize {
    return buffer.transfer_offset + @as(usize, @intCast(address % granule_bytes));
}

fn cBit() u64 {
    return @as(u64, 1) << machine.board().c_bit;
}
