"""The promises of `ports`, one suite a port, kept by the fake and by the adapter alike."""
