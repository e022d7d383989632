//! Where what the host gives is copied to before it is checked.

const Certificate = @import("certificate.zig").Certificate;

/// The first and the second certificate of a command.
pub var certificates: [2]Certificate = undefined;
