"""Sartor's promises, measured: each module prints one table, `python -m benchmarks` all of them."""
