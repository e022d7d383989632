//! Which memory is private to which guest: what LAUNCH_UPDATE_DATA has encrypted.

/// Ranges of all guests together.
const most_ranges = 64;

/// A range of addresses without C-bit. The end is the first byte past it.
pub const Range = struct {
    start: u64,
    end: u64,

    fn overlaps(self: Range, other: Range) bool {
        return self.start < other.end and other.start < self.end;
    }

    fn touches(self: Range, other: Range) bool {
        return self.start <= other.end and other.start <= self.end;
    }
};

pub const Ranges = struct {
    entries: [most_ranges]struct { range: Range, handle: u32 } = undefined,
    count: usize = 0,

    /// Whether a range overlaps the private memory of a guest other than one. No guest has handle 0.
    pub fn foreign(self: *const Ranges, range: Range, own_handle: u32) bool {
        for (self.entries[0..self.count]) |entry|
            if (entry.handle != own_handle and entry.range.overlaps(range)) return true;
        return false;
    }

    /// Makes a range private to a guest, joined with its neighbors. With an error nothing has changed.
    pub fn add(self: *Ranges, range: Range, handle: u32) error{ResourceLimit}!void {
        const joins = self.firstNeighbor(range, handle) != null;
        if (!joins and self.count == most_ranges) return error.ResourceLimit;
        var joined = range;
        while (self.firstNeighbor(joined, handle)) |index| {
            const neighbor = self.entries[index].range;
            joined = .{ .start = @min(joined.start, neighbor.start), .end = @max(joined.end, neighbor.end) };
            self.remove(index);
        }
        self.entries[self.count] = .{ .range = joined, .handle = handle };
        self.count += 1;
    }

    /// Forgets those of a guest.
    pub fn forget(self: *Ranges, handle: u32) void {
        var index: usize = 0;
        while (index < self.count) {
            if (self.entries[index].handle == handle) self.remove(index) else index += 1;
        }
    }

    fn firstNeighbor(self: *const Ranges, range: Range, handle: u32) ?usize {
        for (self.entries[0..self.count], 0..) |entry, index|
            if (entry.handle == handle and entry.range.touches(range)) return index;
        return null;
    }

    fn remove(self: *Ranges, index: usize) void {
        self.count -= 1;
        self.entries[index] = self.entries[self.count];
    }
};
