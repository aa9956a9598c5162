"""How does a course become a narrated video? A pure room: no web framework, no database, no settings."""
