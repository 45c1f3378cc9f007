"""Calibration, out-of-distribution detection and cross-validation."""
