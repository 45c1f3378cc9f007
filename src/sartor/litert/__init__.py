"""LiteRT: check a file before it is loaded, create interpreters, call signatures.

Other packages use LiteRT only through this one. Importing it does not import LiteRT.
"""

from .engine import Engine
from .files import check_signatures, manifest_of, open_model
from .interpreter import create_interpreter
from .logs import silence_logs

__all__ = [
    "Engine",
    "check_signatures",
    "create_interpreter",
    "manifest_of",
    "open_model",
    "silence_logs",
]
