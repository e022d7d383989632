"""The demonstration: one file four times in memory, what each observer sees of it, and what that costs."""
