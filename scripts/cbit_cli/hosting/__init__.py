"""Parts of `cbit psp`."""
