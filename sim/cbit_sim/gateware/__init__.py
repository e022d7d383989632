"""Gateware that is simulated only: what surrounds an engine where no Python is to have part in each cycle."""
