"""LiteRT: checks before a file is opened, and the one place that builds an interpreter."""
