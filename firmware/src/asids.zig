//! ASIDs that a guest had, and whose data may still be in caches.

const words = 1024 / 32;

pub const Asids = struct {
    dirty: [words]u32 = @splat(0),

    pub fn soil(self: *Asids, asid: u10) void {
        self.dirty[asid / 32] |= bit(asid);
    }

    pub fn isDirty(self: *const Asids, asid: u10) bool {
        return self.dirty[asid / 32] & bit(asid) != 0;
    }

    pub fn anyDirty(self: *const Asids) bool {
        for (self.dirty) |word| if (word != 0) return true;
        return false;
    }

    pub fn clean(self: *Asids) void {
        self.dirty = @splat(0);
    }
};

fn bit(asid: u10) u32 {
    return @as(u32, 1) << @truncate(asid);
}
