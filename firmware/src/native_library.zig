//! The firmware as a library of C: it boots in surroundings that a test gives, and carries out commands.

const boot = @import("boot.zig").boot;
const dispatch = @import("dispatch.zig").dispatch;
const native = @import("native.zig");
const state = @import("state.zig");
const statusOf = @import("status.zig").statusOf;

comptime {
    _ = @import("native_crypto.zig");
    _ = @import("native_units.zig");
}

/// Resets, boots, and returns the boot code.
export fn cbit_boot(surroundings: *const native.Surroundings) u32 {
    native.reset(surroundings);
    state.state = .{};
    return @backingInt(boot());
}

/// Carries out a command, and returns its status.
export fn cbit_command(number: u32, buffer: u64) u32 {
    return statusOf(dispatch(@intCast(number), buffer));
}
