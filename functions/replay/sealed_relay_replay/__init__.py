"""Replay: moves chosen entries of the failure queue back to the ingress queue, when an operator asks for it."""
