"""What the relay tells the people who run it: events, metrics, and the emitter of both."""
