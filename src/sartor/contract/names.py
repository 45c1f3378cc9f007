"""The names of the contract, version 1: signatures, tensors, variables, roles and modalities.

A runtime relies on these names and on the manifest only; the layout of heads and optimizers is not
part of the contract. `docs/contract.md` describes it.
"""

from __future__ import annotations

__all__ = [
    "ACTIVE",
    "CENTER",
    "CLASS_ONE_HOT",
    "DONE",
    "FEATURES",
    "HEAD_FEATURES",
    "HEAD_SIGNATURES",
    "IMAGE",
    "INPUT",
    "LABELS",
    "LABELS_FILE",
    "LEARNING_RATE",
    "LOSS",
    "MANIFEST_FILE",
    "MASK",
    "MODALITIES",
    "OPTIMIZER_STATE",
    "OUTPUT",
    "PARAMETER",
    "RANDOM_STATE",
    "ROLES",
    "RUN",
    "RUN_LAYERS",
    "SAMPLE_WEIGHTS",
    "SCALE",
    "SIGNATURES",
    "STATISTIC",
    "TASKS",
    "TEMPERATURE",
    "TENSOR",
    "VARIABLE_TENSORS",
    "VERSION",
    "WEIGHT_DECAY",
]

VERSION = 1
"""Version of the contract: Sartor writes and reads this one only."""

MANIFEST_FILE = "sartor.json"
"""Manifest, in the ZIP archive behind the flatbuffer."""

LABELS_FILE = "labels.txt"
"""Class names for other tools, one for each line, in the same archive."""

SIGNATURES = ("infer", "train", "evaluate", "set_class", "save", "restore", "initialize")
"""Signatures of every personalizable file."""

HEAD_SIGNATURES = ("train", "evaluate", "set_class")
"""Signatures that a file with tuned layers also has for its head alone: `train_head` and so on."""

RUN_LAYERS = "run_layers"
"""Signature of a file with tuned layers: from the features of a sample to those of the head."""

VARIABLE_TENSORS = "variable_tensors"
"""Requirement of a model with recurrent layers: a runtime that supports their state."""

INPUT = "input"
"""Input of `infer`, if the base has one input."""

FEATURES = "features"
"""Features: output of `infer`, input of `train`, `evaluate` and `set_class`."""

HEAD_FEATURES = "head_features"
"""Features behind tuned layers: output of `infer` and `run_layers`."""

LABELS = "labels"
"""Targets of a batch: input of `train` and `evaluate`."""

SAMPLE_WEIGHTS = "sample_weights"
"""Weights of the samples: input of `train`, `evaluate` and `set_class`."""

LEARNING_RATE = "learning_rate"
"""Learning rate: input of `train`."""

LOSS = "loss"
"""Loss: output of `train` and `evaluate`."""

OUTPUT = "output"
"""Output of the head: output of `infer`, `train` and `evaluate`."""

CLASS_ONE_HOT = "class_one_hot"
"""Class, one-hot: input of `set_class`."""

ACTIVE = "active"
"""1 to imprint a class, 0 to clear it: input of `set_class`."""

RUN = "run"
"""Input of `save` and `initialize`; its value has no effect."""

DONE = "done"
"""Output of `set_class`, `restore` and `initialize`; always 1."""

MASK = "class_mask"
"""Variable [C]: 1 for each active class, else 0."""

TEMPERATURE = "temperature"
"""Variable [1]: divides the logits in `infer` and `evaluate`."""

WEIGHT_DECAY = "weight_decay"
"""Variable [1]: factor λ of the weight decay in `train`."""

CENTER = "head/center"
"""Variable: center of the features, for normalization."""

SCALE = "head/scale"
"""Variable: factor of the features, for normalization."""

RANDOM_STATE = "random_state"
"""Variable [3] of dropout, and its role."""

PARAMETER = "parameter"
"""Role of a variable that training changes."""

STATISTIC = "statistic"
"""Role of a variable of the head that `set_class` changes and training does not."""

OPTIMIZER_STATE = "optimizer_state"
"""Role of a variable of the optimizer."""

ROLES = (
    PARAMETER, STATISTIC, "mask", "temperature", "weight_decay", OPTIMIZER_STATE, RANDOM_STATE,
)  # fmt: skip
"""Roles of variables."""

IMAGE = "image"
"""Modality of an image input."""

TENSOR = "tensor"
"""Modality of any other input."""

MODALITIES = (IMAGE, TENSOR)
"""Modalities of inputs."""

TASKS = ("classification", "multi_label", "regression")
"""Tasks."""
