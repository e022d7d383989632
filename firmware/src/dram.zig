//! Initializes DRAM and levels it: finds for each lane of bytes when to read.
//!
//! What to write to which register of the controller, and how long to wait, is in a table of the gateware: nothing of a
//! chip or a board is here. Nobody uses DRAM meanwhile.

const registers = @import("registers").dram_table;
const machine = @import("machine.zig").machine;

/// Words of a burst, as many as the table has room for.
const most_words = registers.WRITE_DATA.count;

/// Of the words that are written and read back: no lane reads all of them by chance.
const level_seeds = [_]u32{ 0x2545_f491, 0xdaba_0b6e, 0x9e37_79b9 };
const final_seeds = [_]u32{ 0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c };

/// A single delay that works may be one that only just does.
const least_window = 2;

/// A change of a delay may need to be made again: lanes that were out of step are not always in step at once.
const tries = 8;

/// Delays of a bitslip, one after the other, at all of which a lane reads what was written.
const Window = struct { bitslip: u32 = 0, first: u32 = 0, length: u32 = 0 };

/// Initializes the chip, levels each lane, tests all of them together, and hands over to the controller. Returns whether
/// all is well; if not, DRAM stays shut. A table that has no lanes, or none that there is room for, levels nothing.
pub fn level() bool {
    const lanes = phy().LANES;
    if (lanes < 1 or lanes > registers.LANE_BITS.count) return false;
    if (phy().WORDS < 1 or phy().WORDS > most_words) return false;
    perform(registers.INITIALIZE.offset);
    for (0..lanes) |lane| if (!levelLane(@intCast(lane))) return false;
    const all = (@as(u32, 1) << @as(u3, @intCast(lanes))) - 1;
    if (!readsBack(all, 0xffff_ffff, &final_seeds)) return false;
    perform(registers.HAND_OVER.offset);
    machine.openDram();
    return true;
}

/// Sets a lane to the middle of its longest window, and sees that it then reads. Returns whether it does.
fn levelLane(lane: u2) bool {
    const window = longestWindow(lane);
    if (window.length < least_window) return false;
    for (0..tries) |_| {
        change(lane, registers.BITSLIP_RESET.offset, 1);
        change(lane, registers.BITSLIP_NEXT.offset, window.bitslip);
        change(lane, registers.DELAY_RESET.offset, 1);
        change(lane, registers.DELAY_NEXT.offset, window.first + (window.length - 1) / 2);
        if (laneReadsBack(lane)) return true;
    }
    return false;
}

fn longestWindow(lane: u2) Window {
    var longest: Window = .{};
    change(lane, registers.BITSLIP_RESET.offset, 1);
    for (0..phy().BITSLIPS) |bitslip| {
        change(lane, registers.DELAY_RESET.offset, 1);
        var length: u32 = 0;
        for (0..phy().DELAYS) |delay| {
            length = if (laneReadsBack(lane)) length + 1 else 0;
            if (length > longest.length)
                longest = .{ .bitslip = @intCast(bitslip), .first = @intCast(delay + 1 - length), .length = length };
            change(lane, registers.DELAY_NEXT.offset, 1);
        }
        change(lane, registers.BITSLIP_NEXT.offset, 1);
    }
    return longest;
}

fn laneReadsBack(lane: u2) bool {
    const bits: registers.LANE_BITS = @bitCast(table(registers.LANE_BITS, lane));
    return readsBack(@as(u32, 1) << lane, bits.MASK, &level_seeds);
}

/// Whether lanes read what is written, in those bits of each word which are theirs, and have seen it come.
fn readsBack(lanes: u32, mask: u32, seeds: []const u32) bool {
    for (seeds) |seed| {
        var words: [most_words]u32 = undefined;
        const burst = words[0..phy().WORDS];
        var state = seed;
        for (burst, 0..) |*word, index| {
            state = next(state);
            word.* = state;
            writeAt(registers.WRITE_DATA, index, state);
        }
        perform(registers.PROBE.offset);
        if (readAt(registers.BURST_SEEN, 0) & lanes != lanes) return false;
        for (burst, 0..) |word, index| if ((readAt(registers.READ_DATA, index) ^ word) & mask != 0) return false;
    }
    return true;
}

/// Xorshift of 32 bits (G. Marsaglia, "Xorshift RNGs", 2003).
fn next(state: u32) u32 {
    var value = state ^ state << 13;
    value ^= value >> 17;
    return value ^ value << 5;
}

/// Performs a script for one lane some times, and lets each change settle.
fn change(lane: u2, script: usize, times: u32) void {
    for (0..times) |_| {
        writeAt(registers.LANE_SELECT, 0, @as(u32, 1) << lane);
        perform(script);
        perform(registers.SETTLE.offset);
    }
}

/// Performs the script at a place of the table. All have the same form.
fn perform(place: usize) void {
    const script: registers.INITIALIZE = @bitCast(machine.dramTable()[place / @sizeOf(u32)]);
    for (script.FIRST..@as(usize, script.FIRST) + script.COUNT) |number| {
        const step: registers.STEP = @bitCast(table(registers.STEP, number));
        machine.dramWrite(step.OFFSET, table(registers.STEP_VALUE, number));
        if (step.WAIT != 0) machine.wait(step.WAIT);
    }
}

fn writeAt(comptime Place: type, index: usize, word: u32) void {
    const place: Place = @bitCast(table(Place, index));
    machine.dramWrite(place.OFFSET, word);
}

fn readAt(comptime Place: type, index: usize) u32 {
    const place: Place = @bitCast(table(Place, index));
    return machine.dramRead(place.OFFSET);
}

fn phy() registers.PHY {
    return @bitCast(table(registers.PHY, 0));
}

/// A word of the table, or of an array there.
fn table(comptime Register: type, index: usize) u32 {
    return machine.dramTable()[Register.offset / @sizeOf(u32) + index];
}
