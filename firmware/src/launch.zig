//! The commands that launch a guest (SEV API, launching).

const std = @import("std");
const aes_ctr = @import("aes_ctr.zig");
const buffer = @import("buffer.zig");
const buffers = @import("command_buffers.zig");
const certificate = @import("certificate.zig");
const guests = @import("guest.zig");
const hmac = @import("hmac.zig");
const incoming = @import("incoming.zig");
const memory = @import("memory.zig");
const requests = @import("request.zig");
const secrets = @import("wipe.zig");
const session = @import("session.zig");
const state = &@import("state.zig").state;
const Refusal = @import("status.zig").Refusal;
const version = @import("version.zig");

const Request = requests.Request;

/// First byte of what is authenticated: which message it is (SEV API, LAUNCH_MEASURE and LAUNCH_SECRET).
const measurement_context = 4;
const secret_context = 1;

const most_secret_bytes = buffer.transfer_bytes;

const SecretHeader = extern struct {
    flags: u32,
    iv: aes_ctr.Block,
    mac: hmac.Mac,
};

pub fn start(request: *Request) Refusal!void {
    const given = request.as(buffers.LaunchStart);
    const policy: guests.Policy = @bitCast(given.policy);
    if (given.handle != 0) return refuseSharing(given.handle, policy);
    try requirePolicy(policy);
    try requests.requireZero(given.reserved);
    var keys: session.Keys = .{};
    defer secrets.wipe(&keys);
    const owned = given.certificate_address != 0 or given.certificate_length != 0 or
        given.session_address != 0 or given.session_length != 0;
    if (owned) keys = try openSession(given);
    const guest = guests.free() orelse return error.ResourceLimit;
    errdefer secrets.wipe(guest);
    try state.random.keys(&guest.data_key, &guest.tweak_key);
    if (!owned) {
        try state.random.fill(&keys.encryption);
        try state.random.fill(&keys.integrity);
    }
    guest.transport = keys;
    guest.policy = policy;
    guest.launched = .{};
    const handle = nextHandle();
    try request.answer(@offsetOf(buffers.LaunchStart, "handle"), handle);
    guest.handle = handle;
    guest.state = .lupdate;
    state.platform = .working;
}

/// No guest shares another's key here.
fn refuseSharing(handle: u32, policy: guests.Policy) Refusal!void {
    const other = guests.find(handle) orelse return error.InvalidGuest;
    if (other.policy.no_key_sharing or policy.no_key_sharing) return error.PolicyFailure;
    return error.Unsupported;
}

fn requirePolicy(policy: guests.Policy) error{PolicyFailure}!void {
    if (policy.encrypted_state or policy.reserved != 0) return error.PolicyFailure;
    const newer = policy.api_major > version.major or
        policy.api_major == version.major and policy.api_minor > version.minor;
    if (newer) return error.PolicyFailure;
}

fn openSession(given: *const buffers.LaunchStart) Refusal!session.Keys {
    if (given.certificate_length != certificate.bytes or given.session_length != session.bytes)
        return error.InvalidLength;
    try memory.requireHost(given.certificate_address, certificate.bytes);
    try memory.requireHost(given.session_address, session.bytes);
    const owner = &incoming.certificates[0];
    var sent: session.Session = undefined;
    try memory.readHost(given.certificate_address, std.mem.asBytes(owner));
    try memory.readHost(given.session_address, std.mem.asBytes(&sent));
    if (!owner.isGood(.pdh, .ecdh_sha256)) return error.InvalidCertificate;
    return sent.open(&owner.public(), &state.identity.pdh.private, given.policy);
}

fn nextHandle() u32 {
    while (true) {
        state.last_handle = if (state.last_handle == std.math.maxInt(u32)) 1 else state.last_handle + 1;
        if (guests.find(state.last_handle) == null) return state.last_handle;
    }
}

pub fn updateData(request: *Request) Refusal!void {
    const given = request.as(buffers.GuestData);
    const guest = request.guest;
    if (guest.asid == 0) return error.Inactive;
    try requests.requireZero(given.reserved);
    try memory.requireWhole(given.length);
    try memory.requireGuest(guest, given.address, given.length);
    try state.ranges.add(try memory.rangeOf(given.address, given.length), guest.handle);
    var done: u32 = 0;
    while (done < given.length) {
        const taken = @min(given.length - done, buffer.transfer_bytes);
        _ = try memory.fetchHost(given.address + done, taken);
        guest.launched.updateInBuffer(buffer.transfer_offset, taken);
        try memory.putGuest(guest, given.address + done, taken);
        done += taken;
    }
}

pub fn measure(request: *Request) Refusal!void {
    const given = request.as(buffers.GuestData);
    const guest = request.guest;
    const measurement_bytes = @sizeOf(guests.Measurement);
    try requests.requireZero(given.reserved);
    try request.requireRoom(given.length, measurement_bytes, @offsetOf(buffers.GuestData, "length"));
    try memory.requireHost(given.address, measurement_bytes);
    var measurement: guests.Measurement = undefined;
    try state.random.fill(&measurement.nonce);
    var digest: [32]u8 = undefined;
    guest.digest(&digest);
    hmac.hmac(&guest.transport.integrity, &.{
        &.{ measurement_context, version.major, version.minor, version.build },
        std.mem.asBytes(&guest.policy),
        &digest,
        &measurement.nonce,
    }, &measurement.mac);
    // No measurement is ever shown of a launch that goes on.
    guest.measurement = measurement;
    guest.state = .lsecret;
    try memory.writeHost(given.address, std.mem.asBytes(&measurement));
    try request.answer(@offsetOf(buffers.GuestData, "length"), @as(u32, measurement_bytes));
}

pub fn secret(request: *Request) Refusal!void {
    const given = request.as(buffers.LaunchSecret);
    const guest = request.guest;
    if (guest.asid == 0) return error.Inactive;
    try requests.requireZero(given.reserved_header | given.reserved_guest | given.reserved_transport);
    if (given.header_length != @sizeOf(SecretHeader)) return error.InvalidLength;
    try memory.requireWhole(given.guest_length);
    if (given.guest_length > most_secret_bytes or given.transport_length != given.guest_length)
        return error.InvalidLength;
    try memory.requireHost(given.header_address, @sizeOf(SecretHeader));
    try memory.requireGuest(guest, given.guest_address, given.guest_length);
    try memory.requireHost(given.transport_address, given.transport_length);
    var header: SecretHeader = undefined;
    try memory.readHost(given.header_address, std.mem.asBytes(&header));
    const sealed = try memory.fetchHost(given.transport_address, given.transport_length);
    try requests.requireZero(header.flags);
    try requireSecretMac(guest, given, &header, sealed);
    const opened = buffer.slice(buffer.transfer_offset, given.guest_length);
    defer buffer.forgetTransfer();
    @memmove(opened, sealed);
    aes_ctr.applyInBuffer(&guest.transport.encryption, &header.iv, buffer.transfer_offset, given.guest_length);
    try memory.putGuest(guest, given.guest_address, given.guest_length);
}

fn requireSecretMac(
    guest: *const guests.Guest,
    given: *const buffers.LaunchSecret,
    header: *const SecretHeader,
    sealed: []const u8,
) error{BadMeasurement}!void {
    var mac: hmac.Mac = undefined;
    defer secrets.wipe(&mac);
    hmac.hmac(&guest.transport.integrity, &.{
        &.{secret_context},
        std.mem.asBytes(&header.flags),
        &header.iv,
        std.mem.asBytes(&given.guest_length),
        std.mem.asBytes(&given.transport_length),
        sealed,
        &guest.measurement.mac,
    }, &mac);
    if (!secrets.equal(&mac, &header.mac)) return error.BadMeasurement;
}

pub fn finish(request: *Request) Refusal!void {
    secrets.wipe(&request.guest.transport);
    request.guest.state = .running;
}
