//! From a command's number to what carries it out, with the checks that all commands have.

const std = @import("std");
const attestation = @import("attestation.zig");
const buffer = @import("buffer.zig");
const buffers = @import("command_buffers.zig");
const debug = @import("debug.zig");
const guest_commands = @import("guest_commands.zig");
const guests = @import("guest.zig");
const launch = @import("launch.zig");
const memory = @import("memory.zig");
const platform = @import("platform_commands.zig");
const Request = @import("request.zig").Request;
const state = @import("state.zig");
const Refusal = @import("status.zig").Refusal;

const PlatformStates = std.enums.EnumSet(state.PlatformState);
const GuestStates = std.enums.EnumSet(guests.State);

const Entry = struct {
    number: u16,
    /// Bytes of the command's buffer, 0 for none.
    length: u8,
    platform: PlatformStates,
    /// Null for a command that is not for a guest.
    guest: ?GuestStates = null,
    /// Null for a command that is known, but not carried out.
    run: ?*const fn (*Request) Refusal!void,
};

const any: PlatformStates = .full;
const uninit: PlatformStates = .initOne(.uninit);
const only_init: PlatformStates = .initOne(.init);
const working: PlatformStates = .initOne(.working);
const initialized: PlatformStates = .initMany(&.{ .init, .working });

/// The commands (SEV API, command identifiers).
const entries = [_]Entry{
    of(0x01, buffers.Init, uninit, platform.init),
    of(0x02, void, initialized, platform.shutdown),
    of(0x03, void, uninit, platform.platformReset),
    of(0x04, buffers.PlatformStatus, any, platform.platformStatus),
    of(0x05, void, only_init, platform.pekGen),
    of(0x06, buffers.Data, only_init, platform.pekCsr),
    of(0x07, buffers.PekCertImport, only_init, platform.pekCertImport),
    of(0x08, buffers.PdhCertExport, initialized, platform.pdhCertExport),
    of(0x09, void, initialized, platform.pdhGen),
    of(0x0a, void, initialized, platform.dfFlush),
    of(0x0c, buffers.Data, any, platform.getId),
    forGuest(0x20, buffers.Handle, .full, guest_commands.decommission),
    forGuest(0x21, buffers.Activate, .full, guest_commands.activate),
    forGuest(0x22, buffers.Handle, .full, guest_commands.deactivate),
    forGuest(0x23, buffers.GuestStatus, .full, guest_commands.guestStatus),
    unsupported(0x24),
    of(0x30, buffers.LaunchStart, initialized, launch.start),
    forGuest(0x31, buffers.GuestData, .initOne(.lupdate), launch.updateData),
    unsupported(0x32),
    forGuest(0x33, buffers.GuestData, .initOne(.lupdate), launch.measure),
    forGuest(0x34, buffers.LaunchSecret, .initOne(.lsecret), launch.secret),
    forGuest(0x35, buffers.Handle, .initOne(.lsecret), launch.finish),
    forGuest(0x36, buffers.Attestation, .initOne(.running), attestation.attestation),
    unsupported(0x40),
    unsupported(0x41),
    unsupported(0x42),
    unsupported(0x43),
    unsupported(0x44),
    unsupported(0x50),
    unsupported(0x51),
    unsupported(0x52),
    unsupported(0x53),
    forGuest(0x60, buffers.Debug, .initOne(.running), debug.decrypt),
    forGuest(0x61, buffers.Debug, .initOne(.running), debug.encrypt),
};

fn of(number: u16, comptime Buffer: type, states: PlatformStates, run: *const fn (*Request) Refusal!void) Entry {
    return .{ .number = number, .length = buffers.bytes(Buffer), .platform = states, .run = run };
}

fn forGuest(number: u16, comptime Buffer: type, states: GuestStates, run: *const fn (*Request) Refusal!void) Entry {
    return .{ .number = number, .length = buffers.bytes(Buffer), .platform = working, .guest = states, .run = run };
}

fn unsupported(number: u16) Entry {
    return .{ .number = number, .length = 0, .platform = any, .run = null };
}

/// Carries out a command: the checks of its number, the platform's state, its buffer, of which a copy is made, handle
/// and state of the guest; then its own.
pub fn dispatch(number: u16, address: u64) Refusal!void {
    const entry = find(number) orelse return error.InvalidCommand;
    const run = entry.run orelse return error.Unsupported;
    if (!entry.platform.contains(state.state.platform)) return error.InvalidPlatformState;
    var request: Request = .{ .address = address };
    if (entry.length > 0) {
        try memory.requireAligned(address);
        try memory.requireHost(address, entry.length);
        try memory.readHost(address, request.bytes[0..entry.length]);
    }
    if (entry.guest) |states| {
        request.guest = guests.find(request.as(buffers.Handle).handle) orelse return error.InvalidGuest;
        if (!states.contains(request.guest.state)) return error.InvalidGuestState;
    }
    defer buffer.forgetScratch();
    return run(&request);
}

fn find(number: u16) ?*const Entry {
    for (&entries) |*entry| if (entry.number == number) return entry;
    return null;
}
