"""Replay: move chosen entries of the failure queue back to the queues that they came from."""
