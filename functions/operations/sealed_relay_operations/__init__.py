"""The operator's function: replay failed calls, pause, resume, and tell what is paused."""
