//! A guest: its state, its keys, and what was launched.

const machine = @import("machine.zig").machine;
const sha256 = @import("sha256.zig");
const session = @import("session.zig");
const state = &@import("state.zig").state;
const wipe = @import("wipe.zig").wipe;

/// Guests that can live at a time.
pub const most_guests = 16;

/// States of a guest (SEV API, guest state machine), those that a command is allowed in.
pub const State = enum(u8) { uninit = 0, lupdate = 1, lsecret = 2, running = 3 };

pub const Measurement = extern struct {
    mac: [32]u8,
    nonce: [16]u8,
};

pub const Guest = struct {
    /// Zero for none.
    handle: u32 = 0,
    state: State = .uninit,
    policy: Policy = .{},
    /// Zero while not active.
    asid: u10 = 0,
    data_key: [16]u8 = @splat(0),
    tweak_key: [16]u8 = @splat(0),
    transport: session.Keys = .{},
    launched: sha256.Sha256 = undefined,
    measurement: Measurement = undefined,

    /// The hash of all that was launched so far.
    pub fn digest(self: *const Guest, result: *sha256.Digest) void {
        var launched = self.launched;
        launched.final(result);
    }

    /// Takes the guest's key out of the engine. Its ASID can not be used again before DF_FLUSH.
    pub fn deactivate(self: *Guest) error{HardwareErrorUnsafe}!void {
        if (machine.engineRetire(self.asid) != .OK) return error.HardwareErrorUnsafe;
        state.asids.soil(self.asid);
        machine.forgetFlush();
        self.asid = 0;
    }

    /// Ends the guest and erases all that is of it.
    pub fn decommission(self: *Guest) error{HardwareErrorUnsafe}!void {
        if (self.asid != 0) try self.deactivate();
        state.ranges.forget(self.handle);
        wipe(self);
    }
};

/// What the guest's owner allows (SEV API, guest policy).
pub const Policy = packed struct(u32) {
    no_debug: bool = false,
    no_key_sharing: bool = false,
    encrypted_state: bool = false,
    no_send: bool = false,
    domain: bool = false,
    sev_only: bool = false,
    reserved: u10 = 0,
    api_major: u8 = 0,
    api_minor: u8 = 0,
};

/// The guest of a handle.
pub fn find(handle: u32) ?*Guest {
    if (handle == 0) return null;
    return slot(handle);
}

/// Where a guest can be made.
pub fn free() ?*Guest {
    return slot(0);
}

/// The living guest with the lowest handle.
pub fn first() ?*Guest {
    var found: ?*Guest = null;
    for (&state.guests) |*guest| {
        if (guest.handle != 0 and (found == null or guest.handle < found.?.handle)) found = guest;
    }
    return found;
}

/// How many live.
pub fn count() u32 {
    var living: u32 = 0;
    for (&state.guests) |*guest| living += @intFromBool(guest.handle != 0);
    return living;
}

fn slot(handle: u32) ?*Guest {
    for (&state.guests) |*guest| if (guest.handle == handle) return guest;
    return null;
}
