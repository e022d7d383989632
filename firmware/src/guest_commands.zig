//! The commands for guests that go with every state (SEV API, guest management).

const std = @import("std");
const buffers = @import("command_buffers.zig");
const guests = @import("guest.zig");
const machine = @import("machine.zig").machine;
const Request = @import("request.zig").Request;
const state = &@import("state.zig").state;
const Refusal = @import("status.zig").Refusal;

pub fn decommission(request: *Request) Refusal!void {
    try request.guest.decommission();
    if (guests.count() == 0) state.platform = .init;
}

pub fn activate(request: *Request) Refusal!void {
    const asid = request.as(buffers.Activate).asid;
    const guest = request.guest;
    if (asid == 0 or asid >= machine.board().asid_count) return error.InvalidAsid;
    if (guest.asid != 0) return error.Active;
    for (&state.guests) |*other| if (other.asid == asid) return error.AsidOwned;
    const slot: u10 = @intCast(asid);
    if (state.asids.isDirty(slot)) return error.DfFlushRequired;
    if (machine.engineInstall(slot, &guest.data_key, &guest.tweak_key) != .OK) return error.HardwareErrorPlatform;
    guest.asid = slot;
}

pub fn deactivate(request: *Request) Refusal!void {
    if (request.guest.asid == 0) return error.Inactive;
    try request.guest.deactivate();
}

pub fn guestStatus(request: *Request) Refusal!void {
    const guest = request.guest;
    const status: buffers.GuestStatus = .{
        .handle = guest.handle,
        .policy = @bitCast(guest.policy),
        .asid = guest.asid,
        .state = @backingInt(guest.state),
    };
    const shown = @offsetOf(buffers.GuestStatus, "policy");
    try request.answer(shown, std.mem.asBytes(&status)[shown..buffers.guest_status_bytes].*);
}
