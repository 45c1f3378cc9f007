"""Benchmarks of Sartor: each module measures one table, `python -m benchmarks` all of them."""
