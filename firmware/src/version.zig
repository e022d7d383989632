//! Which SEV API this is.

pub const major = 0;
pub const minor = 24;
pub const build = 15;
