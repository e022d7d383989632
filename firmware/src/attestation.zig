//! ATTESTATION: what was launched, signed by the platform.

const std = @import("std");
const buffers = @import("command_buffers.zig");
const certificate = @import("certificate.zig");
const ecdsa = @import("ecdsa.zig");
const memory = @import("memory.zig");
const requests = @import("request.zig");
const sha256 = @import("sha256.zig");
const state = &@import("state.zig").state;
const Refusal = @import("status.zig").Refusal;

const Report = extern struct {
    nonce: [16]u8,
    digest: sha256.Digest,
    policy: u32,
    usage: certificate.Usage,
    algorithm: certificate.Algorithm,
    reserved: u32,
    r: [0x48]u8,
    s: [0x48]u8,
};

const signed_bytes = @offsetOf(Report, "usage");
const report_bytes = 0xd0;

comptime {
    if (@sizeOf(Report) != report_bytes) @compileError("not the format of the SEV API");
}

pub fn attestation(request: *requests.Request) Refusal!void {
    const given = request.as(buffers.Attestation);
    const guest = request.guest;
    try requests.requireZero(given.reserved);
    try request.requireRoom(given.length, report_bytes, @offsetOf(buffers.Attestation, "length"));
    try memory.requireHost(given.address, report_bytes);
    var report = std.mem.zeroes(Report);
    report.nonce = given.nonce;
    guest.digest(&report.digest);
    report.policy = @bitCast(guest.policy);
    report.usage = .pek;
    report.algorithm = .ecdsa_sha256;
    try sign(&report);
    try memory.writeHost(given.address, std.mem.asBytes(&report));
    try request.answer(@offsetOf(buffers.Attestation, "length"), @as(u32, report_bytes));
}

fn sign(report: *Report) error{HardwareErrorPlatform}!void {
    var digest: sha256.Digest = undefined;
    sha256.hash(std.mem.asBytes(report)[0..signed_bytes], &digest);
    const signature = try ecdsa.sign(&state.identity.pek.private, &digest);
    @memcpy(report.r[0..@sizeOf(@TypeOf(signature.r))], std.mem.asBytes(&signature.r));
    @memcpy(report.s[0..@sizeOf(@TypeOf(signature.s))], std.mem.asBytes(&signature.s));
}
