//! The buffers of commands (Linux `include/linux/psp-sev.h`): little-endian, without gaps.

pub const Init = extern struct {
    flags: u32,
    reserved: u32,
    tmr_address: u64 align(4),
    tmr_length: u32,
};

pub const PlatformStatus = extern struct {
    api_major: u8,
    api_minor: u8,
    state: u8,
    owner: u8,
    config: packed struct(u32) { es: bool, reserved: u23, build: u8 },
    guest_count: u32,
};

pub const Data = extern struct {
    address: u64 align(4),
    length: u32,
};

pub const PekCertImport = extern struct {
    pek_address: u64 align(4),
    pek_length: u32,
    reserved: u32,
    oca_address: u64 align(4),
    oca_length: u32,
};

pub const PdhCertExport = extern struct {
    pdh_address: u64 align(4),
    pdh_length: u32,
    reserved: u32,
    chain_address: u64 align(4),
    chain_length: u32,
};

pub const Handle = extern struct {
    handle: u32,
};

pub const Activate = extern struct {
    handle: u32,
    asid: u32,
};

pub const GuestStatus = extern struct {
    handle: u32,
    policy: u32 align(1),
    asid: u32 align(1),
    state: u8,
};

pub const LaunchStart = extern struct {
    handle: u32,
    policy: u32,
    certificate_address: u64 align(4),
    certificate_length: u32,
    reserved: u32,
    session_address: u64 align(4),
    session_length: u32,
};

pub const GuestData = extern struct {
    handle: u32,
    reserved: u32,
    address: u64 align(4),
    length: u32,
};

pub const LaunchSecret = extern struct {
    handle: u32,
    reserved_header: u32,
    header_address: u64 align(4),
    header_length: u32,
    reserved_guest: u32,
    guest_address: u64 align(4),
    guest_length: u32,
    reserved_transport: u32,
    transport_address: u64 align(4),
    transport_length: u32,
};

pub const Attestation = extern struct {
    handle: u32,
    reserved: u32,
    address: u64 align(4),
    nonce: [16]u8,
    length: u32,
};

pub const Debug = extern struct {
    handle: u32,
    reserved: u32,
    source: u64 align(4),
    destination: u64 align(4),
    length: u32,
};

/// GuestStatus ends in a byte, which Zig would fill up to a word.
pub const guest_status_bytes = 0x0d;

/// Bytes of a buffer, 0 for none.
pub fn bytes(comptime Buffer: type) u8 {
    return if (Buffer == GuestStatus) guest_status_bytes else @sizeOf(Buffer);
}
