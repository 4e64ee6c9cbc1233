"""Calls as producers put them on the queue, and what can become of one. Pure."""
