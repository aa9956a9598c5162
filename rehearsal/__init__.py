"""Where it runs without a cloud: engine bootstrap, language host, emulated provider, world."""
