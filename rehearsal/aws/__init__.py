"""The emulated AWS provider: schema, Check, Diff, world and plugin."""
