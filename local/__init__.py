"""The laptop: local AWS, the Kairos simulator, the run."""
