"""The contract between a personalizable file and every runtime, version 1: the names, as data.

A runtime relies on what is here and on nothing else: it knows signatures, shapes and roles, and
not how a head or an optimizer is laid out. `docs/contract.md` says the same in words.
"""

from __future__ import annotations

__all__ = [
    "ACTIVE",
    "CENTER",
    "CLASS_ONE_HOT",
    "DONE",
    "FEATURES",
    "INPUT",
    "LABELS",
    "LEARNING_RATE",
    "LOSS",
    "MANIFEST_FILE",
    "MASK",
    "OUTPUT",
    "RANDOM_STATE",
    "RUN",
    "SCALE",
    "SIGNATURES",
    "TEMPERATURE",
    "VERSION",
    "WEIGHTS",
]

VERSION = 1
"""The version of the contract that this Sartor writes, and the only one that it reads."""

MANIFEST_FILE = "sartor.json"
"""The file in the appended ZIP that describes the model (`sartor.contract.manifest`)."""

SIGNATURES = ("infer", "train", "evaluate", "set_class", "save", "restore", "initialize")
"""The keys of the signatures that every personalizable file has."""

INPUT = "input"
FEATURES = "features"
LABELS = "labels"
WEIGHTS = "weights"
LEARNING_RATE = "learning_rate"
LOSS = "loss"
OUTPUT = "output"
CLASS_ONE_HOT = "class_one_hot"
ACTIVE = "active"
RUN = "run"
DONE = "done"

MASK = "class_mask"
TEMPERATURE = "temperature"
CENTER = "head/center"
SCALE = "head/scale"
RANDOM_STATE = "random_state"
