"""EfficientNet-Lite0: the starter base (docs/starter.md)."""

from .base import EfficientNetLite0

__all__ = ["EfficientNetLite0"]
