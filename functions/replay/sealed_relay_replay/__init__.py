"""Replay: an operator asks this function to move chosen entries of the failure queue back to the ingress queue."""
