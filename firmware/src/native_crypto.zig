//! The firmware's cryptography as functions of C, for tests against published vectors.

const aes_ctr = @import("aes_ctr.zig");
const Drbg = @import("drbg.zig").Drbg;
const ecdh = @import("ecdh.zig");
const ecdsa = @import("ecdsa.zig");
const hmac = @import("hmac.zig");
const kdf = @import("kdf.zig");
const p384 = @import("p384.zig");
const Sha256 = @import("sha256.zig").Sha256;
const buffer = @import("buffer.zig");

/// Hashes a message in pieces of a size.
export fn cbit_sha256(message: [*]const u8, length: usize, piece: usize, digest: *[32]u8) void {
    var running: Sha256 = .{};
    var done: usize = 0;
    while (done < length) {
        const taken = @min(piece, length - done);
        running.update(message[done..][0..taken]);
        done += taken;
    }
    running.final(digest);
}

/// Hashes a message whose pieces come through the buffer.
export fn cbit_sha256_in_buffer(message: [*]const u8, length: usize, piece: usize, digest: *[32]u8) void {
    var running: Sha256 = .{};
    var done: usize = 0;
    while (done < length) {
        const taken = @min(piece, length - done);
        @memcpy(buffer.slice(buffer.transfer_offset, taken), message[done..][0..taken]);
        running.updateInBuffer(buffer.transfer_offset, taken);
        done += taken;
    }
    running.final(digest);
}

export fn cbit_hmac(key: [*]const u8, key_length: usize, message: [*]const u8, length: usize, mac: *[32]u8) void {
    hmac.hmac(key[0..key_length], &.{message[0..length]}, mac);
}

export fn cbit_kdf(
    secret: [*]const u8,
    secret_length: usize,
    label: [*]const u8,
    label_length: usize,
    context: [*]const u8,
    context_length: usize,
    key: *[16]u8,
) void {
    kdf.derive(secret[0..secret_length], label[0..label_length], context[0..context_length], key);
}

/// Instantiates, reseeds where there is a reseed, generates twice, and gives what came the second time.
export fn cbit_drbg(
    seed: [*]const u8,
    seed_length: usize,
    reseed: [*]const u8,
    reseed_length: usize,
    output: [*]u8,
    length: usize,
) void {
    var drbg: Drbg = .init(&.{seed[0..seed_length]});
    if (reseed_length > 0) drbg.reseed(&.{reseed[0..reseed_length]});
    drbg.generate(output[0..length]);
    drbg.generate(output[0..length]);
}

export fn cbit_aes_ctr(key: *const [16]u8, counter: *const [16]u8, data: [*]u8, length: usize) void {
    aes_ctr.apply(key, counter, data[0..length]);
}

export fn cbit_key_pair(seed: *const [p384.seed_bytes]u8, private: *p384.Number, public: *p384.Point) void {
    const pair = p384.keyPair(seed);
    private.* = pair.private;
    public.* = pair.public;
}

/// Whether there is a signature, and which.
export fn cbit_sign(private: *const p384.Number, digest: *const [32]u8, signature: *ecdsa.Signature) bool {
    signature.* = ecdsa.sign(private, digest) catch return false;
    return true;
}

export fn cbit_verify(public: *const p384.Point, digest: *const [32]u8, signature: *const ecdsa.Signature) bool {
    return ecdsa.verify(public, digest, signature);
}

/// Whether there is a shared secret, and which.
export fn cbit_agree(private: *const p384.Number, public: *const p384.Point, secret: *[48]u8) bool {
    secret.* = ecdh.agree(private, public) orelse return false;
    return true;
}
