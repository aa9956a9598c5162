"""The unmodified engine: found or built, and given an environment that leads nowhere but here."""
