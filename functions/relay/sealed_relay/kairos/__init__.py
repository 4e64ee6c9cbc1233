"""The Kairos API: its codes and verdicts, the sealing, and the client that sends."""
