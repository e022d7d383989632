"""What `cbit bench` reports."""
