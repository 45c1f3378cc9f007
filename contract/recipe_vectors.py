"""Vectors of the recipe: inputs and outputs of each rule of docs/recipe.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

__all__ = ["FILES", "FOLDER", "Case", "Player", "difference", "load", "to_json"]

FOLDER = Path(__file__).parent / "recipe"

Values: TypeAlias = Mapping[str, Any]
"""Name → number, text, bool, None, list or mapping of them."""

Player: TypeAlias = Callable[[Values], Values]
"""Computes the outputs of a rule from its inputs."""

TOLERANCE, TRAINING_TOLERANCE = 1e-5, 1e-4
"""Largest difference: absolute if the expected value is below 1, relative otherwise."""

PIXELS = "pixels"
"""Name of values that may differ by one level."""

FILES: Mapping[str, Sequence[str]] = {
    "random_numbers": ("random_numbers", "permutations"),
    "images": ("center_box", "decode", "center_pixels", "normalize", "augmentations"),
    "data_set": ("weights", "mixed_rows"),
    "schedule": ("batches", "stages", "rates"),
    "training": ("imprint", "start", "first_stage", "search_rate", "fit", "continue"),
    "layers": ("fit_layers",),
    "cross_validation": (
        "groups", "folds", "temperature", "default_temperature", "held_out_loss",
        "expected_accuracy",
    ),
    "none_of_these": ("detector",),
    "full_store": ("evict",),
}  # fmt: skip
"""File → its rules."""

_TRAINING = FILES["training"]


@dataclass(frozen=True)
class Case:
    """The inputs of a rule and its outputs.

    Attributes:
        rule: name of the rule.
        about: purpose of the case.
        inputs: name → value.
        outputs: name → value.
        notes: values that help to find a difference; nothing compares them.
    """

    rule: str
    about: str
    inputs: Values
    outputs: Values
    notes: Values

    @property
    def tolerance(self) -> float:
        """Largest difference of the outputs."""
        return TRAINING_TOLERANCE if self.rule in _TRAINING else TOLERANCE


def difference(value: Any, expected: Any, name: str = "outputs") -> float:
    """Return the largest difference between values: absolute below 1, relative above.

    A difference of `pixels` by one level counts as 0.

    Raises:
        AssertionError: If texts, bools, integers, names or lengths differ.
    """
    if isinstance(expected, Mapping):
        assert isinstance(value, Mapping), f"{name}: expected a mapping, got {value!r}"
        assert set(value) == set(expected), f"{name}: {sorted(value)}, not {sorted(expected)}"
        return max((difference(value[k], expected[k], f"{name}.{k}") for k in expected), default=0)
    if isinstance(expected, list):
        assert isinstance(value, list), f"{name}: expected a list, got {value!r}"
        assert len(value) == len(expected), f"{name}: {len(value)} values, not {len(expected)}"
        pairs = enumerate(zip(value, expected, strict=True))
        return max((difference(a, b, f"{name}[{i}]") for i, (a, b) in pairs), default=0)
    if expected is None or isinstance(expected, bool | str):
        assert value is expected or value == expected, f"{name}: {value!r}, not {expected!r}"
        return 0.0
    assert isinstance(value, int | float), f"{name}: {value!r}, not {expected!r}"
    if f".{PIXELS}" in name:
        return float(max(0, abs(value - expected) - 1))
    error = abs(value - expected) / max(1.0, abs(expected))
    assert error == error, f"{name} is not a number"
    return float(error)


def to_plain(value: Any) -> Any:
    """Return a value as JSON has it: arrays as lists, NaN as None."""
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if value != value else _number(value)
    return value


def _number(value: float) -> int | float:
    """Return a number with nine digits, and without a point if it is an integer."""
    rounded = float(f"{value:.9g}")
    return int(rounded) if rounded.is_integer() else rounded


def to_json(rules: Mapping[str, Sequence[Case]]) -> str:
    """Return the text of a vector file, with one case in each line.

    Args:
        rules: rule → its cases.
    """
    parts = []
    for rule, cases in rules.items():
        lines = [
            json.dumps(
                {"about": c.about, "inputs": c.inputs, "outputs": c.outputs}
                | ({"notes": c.notes} if c.notes else {}),
                separators=(",", ":"),
            )
            for c in cases
        ]
        head = f'{{"rule": "{rule}", "tolerance": {cases[0].tolerance:g}, "cases": [\n'
        parts.append(head + ",\n".join(lines) + "\n]}")
    return '{\n"recipe": 1,\n"rules": [\n' + ",\n".join(parts) + "\n]\n}\n"


def load(name: str, folder: Path = FOLDER) -> list[Case]:
    """Return the cases of a vector file."""
    rules = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rules"]
    return [
        Case(rule["rule"], c["about"], c["inputs"], c["outputs"], c.get("notes", {}))
        for rule in rules
        for c in rule["cases"]
    ]
