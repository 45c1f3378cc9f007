"""Size that a head adds to the file, part by part."""

from __future__ import annotations

import math
from pathlib import Path

import sartor
from sartor.bases import load_base
from sartor.contract.manifest import Manifest
from sartor.contract.names import MANIFEST_FILE
from sartor.flatbuffer import METADATA_NAME, read, write
from sartor.graph import Graph, Model
from sartor.passes import cut

from .harness import BASES, Goal, Report, main, shared

_CLASSES = 10
_LIMIT = 25_000
_CLASSIFIER = "the plain classifier, without the weights that it shares"


def run() -> Report:
    data = {name: _sizes(shared("models", base)) for name, base in BASES.items()}
    lines = {line: None for sizes in data.values() for line in sizes}
    return Report(
        f"Size of the file: a softmax head of {_CLASSES} classes, SGD with momentum; bytes",
        ["", *data],
        [[line, *(f"{sizes.get(line, 0):,}" for sizes in data.values())] for line in lines],
        goals=[_goal(name, sizes) for name, sizes in data.items()],
        notes=[
            "The cut base has neither labels nor metadata, which described its original classes. "
            "The size of a part is the difference of the file when the part is removed; parts are "
            "removed one after another.",
        ],
        data=data,
    )


def _sizes(base: Path) -> dict[str, int]:
    converted = sartor.convert(base, classes=_CLASSES)
    size, features = len(converted.content), _cut_size(base)
    variables = _variable_bytes(converted.manifest)
    added = size - features - variables
    parts = _parts(converted.content)
    parts["the variables, without their values"] -= variables
    return {
        "the original base": base.stat().st_size,
        "the base, cut at the features": features,
        "the personalizable file": size,
        "its variables": variables,
        "**added to the cut base, without variables**": added,
        **{f"– {name}": part for name, part in parts.items()},
        "– `infer`, with the inputs and outputs of the base": added - sum(parts.values()),
        "added to the original base, without variables":
            size - variables - base.stat().st_size,
    }  # fmt: skip


def _cut_size(base: Path) -> int:
    """Return the size of the base without its classifier, labels and metadata."""
    model = load_base(base)
    cut(model)
    model.files.clear()
    model.metadata.pop(METADATA_NAME, None)
    return len(write(model))


def _variable_bytes(manifest: Manifest) -> int:
    return sum(4 * math.prod(spec.shape) for spec in manifest.variables)


def _parts(content: bytes) -> dict[str, int]:
    """Remove one part after another from a file; return the bytes that each removal saves."""
    model = read(content)
    manifest = len(model.files[MANIFEST_FILE])
    sizes = {f"`{MANIFEST_FILE}`": manifest}
    initializer = _initializer(model)
    _unshare(model, initializer)
    before = len(content)

    def measure(name: str, extra: int = 0) -> None:
        nonlocal before
        after = len(write(model))
        sizes[name] = before - after - extra
        before = after

    measure(_CLASSIFIER)
    model.files.clear()
    measure("labels and ZIP", manifest)
    for signature in [each for each in model.signatures if each.key != "infer"]:
        model.signatures.remove(signature)
        model.graphs.remove(signature.graph)
        measure(f"`{signature.key}`")
    model.metadata.pop(METADATA_NAME)
    measure("metadata")
    initializer.remove(list(initializer.ops))
    initializer.prune()
    measure("the variables, without their values")
    return sizes


def _unshare(model: Model, initializer: Graph) -> None:
    """Store the initial value of each variable separately, as the written file does."""
    values = {id(tensor.data) for tensor in initializer.tensors if tensor.data is not None}
    for graph in model.graphs:
        for tensor in graph.tensors:
            tensor.exclusive = id(tensor.data) in values


def _initializer(model: Model) -> Graph:
    """Return the graph that initializes the variables."""
    return next(graph for graph in model.graphs if graph.name == "initializer")


def _goal(name: str, sizes: dict[str, int]) -> Goal:
    classifier = sizes[f"– {_CLASSIFIER}"]
    added = sizes["**added to the cut base, without variables**"] - classifier
    return Goal(
        f"{name}: the head adds under 25 KB plus its variables and the plain classifier",
        f"{added:,} bytes and {classifier:,} bytes",
        added < _LIMIT,
    )


if __name__ == "__main__":
    main(run)
