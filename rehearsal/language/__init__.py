"""The Python language host for an engine that came without one: it runs unmodified programs and policy packs."""
