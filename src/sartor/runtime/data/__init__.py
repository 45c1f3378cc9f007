"""Samples as arrays: tasks, datasets, batches."""
