"""Quantization of a base or of a frozen model, and the report of what it costs."""
