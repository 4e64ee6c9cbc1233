"""What the relay tells its operators: events, and how they become log lines and metrics."""
