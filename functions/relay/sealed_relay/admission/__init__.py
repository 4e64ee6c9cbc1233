"""Whether a request may leave now: the pauses, and the rate limit that all invocations share."""
