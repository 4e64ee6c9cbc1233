"""Sealed Relay: delivers queued calls to the Kairos encrypted outbound API, each at most once."""
