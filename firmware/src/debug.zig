//! DBG_DECRYPT and DBG_ENCRYPT: a guest's memory, for its owner to look into if the policy allows.

const buffer = @import("buffer.zig");
const buffers = @import("command_buffers.zig");
const memory = @import("memory.zig");
const requests = @import("request.zig");
const Refusal = @import("status.zig").Refusal;

const Request = requests.Request;

pub fn decrypt(request: *Request) Refusal!void {
    const given = try requireAllowed(request);
    try memory.requireGuest(request.guest, given.source, given.length);
    try memory.requireAligned(given.destination);
    try memory.requireHost(given.destination, given.length);
    defer buffer.forgetTransfer();
    var done: u32 = 0;
    while (done < given.length) {
        const taken = @min(given.length - done, buffer.transfer_bytes);
        try memory.fetchGuest(request.guest, given.source + done, taken);
        try memory.putHost(given.destination + done, taken);
        done += taken;
    }
}

pub fn encrypt(request: *Request) Refusal!void {
    const given = try requireAllowed(request);
    try memory.requireAligned(given.source);
    try memory.requireHost(given.source, given.length);
    try memory.requireGuest(request.guest, given.destination, given.length);
    var done: u32 = 0;
    while (done < given.length) {
        const taken = @min(given.length - done, buffer.transfer_bytes);
        _ = try memory.fetchHost(given.source + done, taken);
        try memory.putGuest(request.guest, given.destination + done, taken);
        done += taken;
    }
}

fn requireAllowed(request: *Request) Refusal!*const buffers.Debug {
    const given = request.as(buffers.Debug);
    if (request.guest.policy.no_debug) return error.PolicyFailure;
    if (request.guest.asid == 0) return error.Inactive;
    try requests.requireZero(given.reserved);
    try memory.requireWhole(given.length);
    return given;
}
