"""Training: configuration, learning-rate schedule, epochs, background jobs."""
