"""A firmware for tests of the platform: it does for the host what the host asks."""
