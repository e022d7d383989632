"""What `cbit coverage` is made of: runs, counts, waivers, and their page."""
