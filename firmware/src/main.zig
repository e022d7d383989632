//! The firmware of the security processor: boots, then carries out the host's commands.

const std = @import("std");
const boot = @import("boot.zig").boot;
const dispatch = @import("dispatch.zig").dispatch;
const machine = @import("machine.zig").machine;
const statusOf = @import("status.zig").statusOf;

/// What is unreachable is not checked for: there is no one to tell.
pub const panic = std.debug.no_panic;

/// Where `start.s` goes once memory is set up. Never returns.
export fn run() noreturn {
    const code = boot();
    machine.forgetStack();
    if (code != .UP) stop();
    while (true) {
        const command = machine.nextCommand();
        const status = statusOf(dispatch(command.number, command.buffer));
        machine.forgetStack();
        machine.respond(status);
    }
}

/// Where an exception goes.
export fn trapped() noreturn {
    machine.showCode(.TRAP);
    stop();
}

fn stop() noreturn {
    while (true) {}
}
