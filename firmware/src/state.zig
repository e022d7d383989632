//! All that the firmware remembers from command to command. All of it is zero after reset.

const Asids = @import("asids.zig").Asids;
const guest = @import("guest.zig");
const Identity = @import("identity.zig").Identity;
const Random = @import("random.zig").Random;
const Ranges = @import("ranges.zig").Ranges;

/// States of the platform (SEV API, platform state machine).
pub const PlatformState = enum(u8) { uninit = 0, init = 1, working = 2 };

pub const State = struct {
    platform: PlatformState = .uninit,
    identity: Identity = .{},
    random: Random = .{},
    guests: [guest.most_guests]guest.Guest = @splat(.{}),
    /// That of the last guest launched.
    last_handle: u32 = 0,
    ranges: Ranges = .{},
    asids: Asids = .{},
};

pub var state: State = .{};
