"""Videos: what is asked of the renderer, how far it is, and the result."""
