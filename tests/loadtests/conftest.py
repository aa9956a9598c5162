"""A machine that is busy with a load test gives property tests no deadline."""

from hypothesis import settings

settings.register_profile("load", deadline=None)
settings.load_profile("load")
