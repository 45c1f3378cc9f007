"""The version of Sartor."""

__version__ = "0.1.0"
