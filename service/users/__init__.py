"""People: accounts, login sessions, roles, export and erasure."""
