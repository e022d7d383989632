"""What `cbit explore` does and shows."""
