"""EfficientNet-Lite0, the base for those who have none (docs/starter.md)."""

from .base import EfficientNetLite0

__all__ = ["EfficientNetLite0"]
