//! The commands for the platform (SEV API, platform management).

const std = @import("std");
const buffers = @import("command_buffers.zig");
const certificate = @import("certificate.zig");
const guests = @import("guest.zig");
const incoming = @import("incoming.zig");
const machine = @import("machine.zig").machine;
const memory = @import("memory.zig");
const requests = @import("request.zig");
const state = &@import("state.zig").state;
const Refusal = @import("status.zig").Refusal;
const version = @import("version.zig");

const Certificate = certificate.Certificate;
const Request = requests.Request;

const chain_bytes = 3 * certificate.bytes;
const encrypted_state_flag = 1;
const id_bytes = 0x40;

pub fn init(request: *Request) Refusal!void {
    const given = request.as(buffers.Init);
    try requests.requireZero(given.reserved);
    try requests.requireZero(given.flags & ~@as(u32, encrypted_state_flag));
    try state.identity.start(&state.random);
    state.platform = .init;
}

pub fn shutdown(_: *Request) Refusal!void {
    while (guests.first()) |guest| try guest.decommission();
    state.identity.stop();
    state.platform = .uninit;
}

pub fn platformReset(_: *Request) Refusal!void {
    state.identity.forget();
}

pub fn platformStatus(request: *Request) Refusal!void {
    try request.answer(0, buffers.PlatformStatus{
        .api_major = version.major,
        .api_minor = version.minor,
        .state = @backingInt(state.platform),
        .owner = @intFromBool(state.identity.external),
        .config = .{ .es = false, .reserved = 0, .build = version.build },
        .guest_count = guests.count(),
    });
}

pub fn pekGen(_: *Request) Refusal!void {
    if (state.identity.external) return error.AlreadyOwned;
    try state.identity.renewPek(&state.random);
}

pub fn pekCsr(request: *Request) Refusal!void {
    const given = request.as(buffers.Data);
    try request.requireRoom(given.length, certificate.bytes, @offsetOf(buffers.Data, "length"));
    try memory.requireHost(given.address, certificate.bytes);
    const unsigned = &incoming.certificates[0];
    unsigned.* = state.identity.pek.certificate;
    unsigned.signatures = @splat(.{});
    try memory.writeHost(given.address, std.mem.asBytes(unsigned));
    try request.answer(@offsetOf(buffers.Data, "length"), @as(u32, certificate.bytes));
}

pub fn pekCertImport(request: *Request) Refusal!void {
    const given = request.as(buffers.PekCertImport);
    if (state.identity.external) return error.AlreadyOwned;
    try requests.requireZero(given.reserved);
    if (given.pek_length != certificate.bytes or given.oca_length != certificate.bytes) return error.InvalidLength;
    try memory.requireHost(given.pek_address, certificate.bytes);
    try memory.requireHost(given.oca_address, certificate.bytes);
    const pek, const oca = .{ &incoming.certificates[0], &incoming.certificates[1] };
    try memory.readHost(given.pek_address, std.mem.asBytes(pek));
    try memory.readHost(given.oca_address, std.mem.asBytes(oca));
    try state.identity.take(pek, oca);
}

pub fn pdhCertExport(request: *Request) Refusal!void {
    const given = request.as(buffers.PdhCertExport);
    const pdh_length = @offsetOf(buffers.PdhCertExport, "pdh_length");
    const chain_length = @offsetOf(buffers.PdhCertExport, "chain_length");
    try requests.requireZero(given.reserved);
    const short = given.pdh_length < certificate.bytes or given.chain_length < chain_bytes;
    if (!short) {
        try memory.requireHost(given.pdh_address, certificate.bytes);
        try memory.requireHost(given.chain_address, chain_bytes);
        const identity = &state.identity;
        try memory.writeHost(given.pdh_address, std.mem.asBytes(&identity.pdh.certificate));
        const chain = [_]*const Certificate{
            &identity.pek.certificate,
            &identity.oca.certificate,
            &identity.cek.certificate,
        };
        for (chain, 0..) |link, index|
            try memory.writeHost(given.chain_address + index * certificate.bytes, std.mem.asBytes(link));
    }
    try request.answer(pdh_length, @as(u32, certificate.bytes));
    try request.answer(chain_length, @as(u32, chain_bytes));
    if (short) return error.InvalidLength;
}

pub fn pdhGen(_: *Request) Refusal!void {
    try state.identity.renewPdh(&state.random);
}

pub fn dfFlush(_: *Request) Refusal!void {
    if (state.asids.anyDirty() and !machine.cachesFlushed()) return error.WbinvdRequired;
    state.asids.clean();
}

pub fn getId(request: *Request) Refusal!void {
    const given = request.as(buffers.Data);
    try request.requireRoom(given.length, id_bytes, @offsetOf(buffers.Data, "length"));
    try memory.requireHost(given.address, id_bytes);
    var id: [id_bytes]u8 = @splat(0);
    @memcpy(id[0..state.identity.id.len], &state.identity.id);
    try memory.writeHost(given.address, &id);
    try request.answer(@offsetOf(buffers.Data, "length"), @as(u32, id_bytes));
}
