//! Keys from keys: the counter mode of NIST SP 800-108 with HMAC-SHA256, for one key of 128 bits.

const std = @import("std");
const hmac = @import("hmac.zig");
const wipe = @import("wipe.zig").wipe;

pub const key_bytes = 16;
pub const Key = [key_bytes]u8;

const counter = std.mem.toBytes(std.mem.nativeToLittle(u32, 1));
const key_bits = std.mem.toBytes(std.mem.nativeToLittle(u32, 8 * key_bytes));

/// The key for one purpose, which the label names.
pub fn derive(secret: []const u8, label: []const u8, context: []const u8, key: *Key) void {
    var mac: hmac.Mac = undefined;
    hmac.hmac(secret, &.{ &counter, label, &.{0}, context, &key_bits }, &mac);
    key.* = mac[0..key_bytes].*;
    wipe(&mac);
}
