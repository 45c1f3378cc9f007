"""Make the vectors of docs/recipe.md: `python contract/make_recipe.py` writes contract/recipe.

The implementation in plain NumPy (`plain.py` and others) computes the outputs, and calls models in
float64 (`reference.py`). Each case must be stable: if the features change by a millionth, all
decisions stay, and no number changes by more than a hundred times of that.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hand_made import feature_base
from plain_model import Engine
from recipe_cases import Inputs, inputs_of
from recipe_player import player
from recipe_training_cases import SEVERAL, SOFTMAX, TUNED, TUNED_SGD
from recipe_vectors import FILES, FOLDER, Case, Player, difference, to_json, to_plain
from reference import Reference

import sartor
from sartor import litert
from sartor.contract.manifest import Manifest
from sartor.flatbuffer import write
from sartor.heads import FineTune, MultiLabelClassifier, SoftmaxClassifier

__all__ = ["main", "make_cases", "models", "open_litert"]

_NOISE = 1e-6  # relative
_AMPLIFICATION = 100
_DRAWS = 3
_NOISY = ("features", "outputs")
_DEGENERATE = ("uniform outputs",)  # cases that any noise changes


class FloatEngine:
    """The signatures of a file in float64."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._reference = Reference(content)
        self.manifest = self._reference.manifest

    def run(self, key: str, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Call a signature."""
        return self._reference(key, inputs)

    def variables(self) -> dict[str, np.ndarray]:
        """Return the value of each variable."""
        return dict(self._reference.state)

    def initial_variables(self) -> dict[str, np.ndarray]:
        """Return the initial value of each variable."""
        return Reference(self._content).state

    def restore(self, variables: Mapping[str, np.ndarray]) -> None:
        """Set all variables."""
        self._reference.state = dict(variables)

    def copy(self) -> FloatEngine:
        """Return another engine for the file."""
        return FloatEngine(self._content)


def models() -> dict[str, bytes]:
    """Return file name → content of the models of the vectors."""
    base, names = write(feature_base()), ["class 0", "class 1", "class 2"]
    several, tuned = MultiLabelClassifier(), FineTune(1)
    sgd = sartor.SGD(momentum=0.9)
    return {
        TUNED: sartor.convert(base, classes=4, head=tuned, batch_size=8).content,
        TUNED_SGD: sartor.convert(base, classes=4, head=tuned, optimizer=sgd, batch_size=8).content,
        SOFTMAX: sartor.convert(base, classes=4, head=SoftmaxClassifier(), batch_size=16).content,
        SEVERAL: sartor.convert(base, classes=names, head=several, batch_size=16).content,
    }


def make_cases(inputs: Mapping[str, Inputs], play: Mapping[str, Player]) -> dict[str, list[Case]]:
    """Return rule → cases, with the outputs of a player."""
    return {
        rule: [_case(rule, about, x, play[rule]) for about, x in cases]
        for rule, cases in inputs.items()
    }


def _case(rule: str, about: str, inputs: Mapping[str, Any], play: Player) -> Case:
    outputs = to_plain(play(to_plain(inputs)))
    notes = outputs.pop("notes", {})
    return Case(rule, about, to_plain(inputs), outputs, notes)


def check(case: Case, play: Mapping[str, Player]) -> None:
    """Raise AssertionError if float32, or a small change of the inputs, changes the outputs."""
    rule, reference = play[case.rule], case.outputs
    single = _outputs(rule, case.inputs)
    assert difference(single, reference) <= case.tolerance / 10, "float32 differs from float64"
    if case.about in _DEGENERATE or not any(name in case.inputs for name in _NOISY):
        return
    for seed in range(_DRAWS):
        changed = _outputs(rule, _with_noise(case.inputs, np.random.default_rng(seed)))
        change = difference(changed, single)
        assert change <= _AMPLIFICATION * _NOISE, f"{change / _NOISE:.0f} times the change"


def _outputs(play: Player, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    outputs = to_plain(play(inputs))
    outputs.pop("notes", None)
    return dict(outputs)


def _with_noise(inputs: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    changed = dict(inputs)
    for name in _NOISY:
        if inputs.get(name):
            values = np.asarray(inputs[name], float)
            changed[name] = (values * (1 + _NOISE * rng.uniform(-1, 1, values.shape))).tolist()
    return changed


def open_litert(name: str) -> tuple[Engine, Manifest]:
    """Open a model of the vectors in LiteRT."""
    path = FOLDER / name
    manifest = litert.read_personalizable(path).manifest
    return litert.Engine(path, manifest), manifest


@cache
def _content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def _open_reference(name: str) -> tuple[Engine, Manifest]:
    engine = FloatEngine(_content(name))
    return engine, engine.manifest


def main() -> None:
    """Write the models and the vectors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="*", help=f"of {', '.join(FILES)}; default: all")
    names = parser.parse_args().files or list(FILES)
    FOLDER.mkdir(exist_ok=True)
    for name, content in models().items():
        (FOLDER / name).write_bytes(content)
    inputs, fast = inputs_of(), player(open_litert)
    for name in names:
        cases = make_cases({rule: inputs[rule] for rule in FILES[name]}, player(_open_reference))
        for rule, each in cases.items():
            for case in each:
                try:
                    check(case, fast)
                except AssertionError as error:
                    raise SystemExit(f"{rule}, {case.about}: not stable: {error}") from None
        path = Path(FOLDER / f"{name}.json")
        path.write_text(to_json(cases), encoding="utf-8")
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
