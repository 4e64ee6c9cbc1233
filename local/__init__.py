"""What runs on the laptop: the local AWS, the Kairos simulator, the run, the chaos run and the dashboard."""
