"""Passes on image inputs: layout, quantized inputs, scaling."""
