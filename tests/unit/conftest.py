"""Properties are held to their truth, never to a time limit."""

from hypothesis import settings

settings.register_profile("sealed-relay", deadline=None)
settings.load_profile("sealed-relay")
