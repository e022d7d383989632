"""What traffic a bench has provoked, seen at the ports: functional coverage."""
