"""What stands in for a cluster where none runs: objects checked against the published schemas and kept in the world."""
