//! The machine that the firmware runs on: the security processor itself, or that of the tests.
//!
//! Both have the same declarations. A file that needs the machine takes it from here.

const builtin = @import("builtin");
const registers = @import("registers");

pub const machine = if (builtin.os.tag == .freestanding) @import("hardware.zig") else @import("native.zig");

pub const BootCode = registers.processor.BOOT_CODE.Code;
pub const EngineResult = registers.psp.COMMAND_STATUS.Result;
pub const Modulus = registers.processor.P384_START.Modulus;
pub const Operation = registers.processor.P384_START.Operation;

/// A command as the host gave it.
pub const Command = struct {
    number: u16,
    /// Address of its buffer.
    buffer: u64,
};

/// What the board is.
pub const Board = struct {
    tsme: bool,
    c_bit: u6,
    asid_count: u32,
    memory_pages: u32,
    /// DRAM has to be initialized and leveled before it is used.
    levels_dram: bool,
};
