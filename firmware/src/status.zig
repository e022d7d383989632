//! How commands end.

/// Why a command was not carried out.
pub const Refusal = error{
    InvalidPlatformState,
    InvalidGuestState,
    InvalidLength,
    AlreadyOwned,
    InvalidCertificate,
    PolicyFailure,
    Inactive,
    InvalidAddress,
    BadSignature,
    BadMeasurement,
    AsidOwned,
    InvalidAsid,
    WbinvdRequired,
    DfFlushRequired,
    InvalidGuest,
    InvalidCommand,
    Active,
    HardwareErrorPlatform,
    HardwareErrorUnsafe,
    Unsupported,
    InvalidParam,
    ResourceLimit,
};

/// The status that the host reads (SEV API, status codes).
pub fn statusOf(outcome: Refusal!void) u16 {
    outcome catch |refusal| return switch (refusal) {
        error.InvalidPlatformState => 0x01,
        error.InvalidGuestState => 0x02,
        error.InvalidLength => 0x04,
        error.AlreadyOwned => 0x05,
        error.InvalidCertificate => 0x06,
        error.PolicyFailure => 0x07,
        error.Inactive => 0x08,
        error.InvalidAddress => 0x09,
        error.BadSignature => 0x0a,
        error.BadMeasurement => 0x0b,
        error.AsidOwned => 0x0c,
        error.InvalidAsid => 0x0d,
        error.WbinvdRequired => 0x0e,
        error.DfFlushRequired => 0x0f,
        error.InvalidGuest => 0x10,
        error.InvalidCommand => 0x11,
        error.Active => 0x12,
        error.HardwareErrorPlatform => 0x13,
        error.HardwareErrorUnsafe => 0x14,
        error.Unsupported => 0x15,
        error.InvalidParam => 0x16,
        error.ResourceLimit => 0x17,
    };
    return 0;
}
