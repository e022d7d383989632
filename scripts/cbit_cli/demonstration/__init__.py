"""What `cbit demo` shows, and where it leaves it."""
