"""LiteRT: check a file before it is loaded, create interpreters, call signatures.

Other packages use LiteRT only through this one. Importing it does not import LiteRT.
"""

from .engine import Engine
from .files import (
    PersonalizableFile,
    digest_error,
    manifest_of,
    open_model,
    read_model,
    read_personalizable,
)
from .head_engine import HeadEngine, head_engine, head_features
from .interpreter import create_interpreter
from .logs import silence_logs
from .trial import ENDED, HANGS, compute_shapes, start_worker, try_model

__all__ = [
    "ENDED",
    "HANGS",
    "Engine",
    "HeadEngine",
    "PersonalizableFile",
    "compute_shapes",
    "create_interpreter",
    "digest_error",
    "head_engine",
    "head_features",
    "manifest_of",
    "open_model",
    "read_model",
    "read_personalizable",
    "silence_logs",
    "start_worker",
    "try_model",
]
