"""What `cbit build` is made of."""
