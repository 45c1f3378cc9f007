"""What a head adds to the size of the file, and what that is made of."""

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

from .harness import BASES, Promise, Report, main, shared

_CLASSES = 10
_LIMIT = 10_000


def run() -> Report:
    data = {name: _sizes(shared("models", base)) for name, base in BASES.items()}
    lines = {line: None for sizes in data.values() for line in sizes}
    return Report(
        f"Size of the file: a softmax head of {_CLASSES} classes, SGD with momentum; bytes",
        ["", *data],
        [[line, *(f"{sizes.get(line, 0):,}" for sizes in data.values())] for line in lines],
        promises=[_promise(name, sizes) for name, sizes in data.items()],
        notes=[
            "The bare base has no labels and metadata: those were of the classes that it lost. "
            "A part is what the file loses when that is taken out of it, one after the other.",
        ],
        data=data,
    )


def _sizes(base: Path) -> dict[str, int]:
    converted = sartor.convert(base, classes=_CLASSES)
    size, features = len(converted.content), _cut_size(base)
    variables = _variable_bytes(converted.manifest)
    added = size - features - variables
    parts = _parts(converted.content)
    parts["the variables, beyond their values"] -= variables
    return {
        "the untouched base": base.stat().st_size,
        "the base cut at the features, bare": features,
        "the personalizable file": size,
        "its variables": variables,
        "**added to the cut base, beyond the variables**": added,
        **{f"– {name}": part for name, part in parts.items()},
        "– `infer`, and the ends of the base": added - sum(parts.values()),
        "added to the untouched base, beyond the variables":
            size - variables - base.stat().st_size,
    }  # fmt: skip


def _cut_size(base: Path) -> int:
    """The base without its classifier, and without the labels and metadata of that."""
    model = load_base(base)
    cut(model)
    model.files.clear()
    model.metadata.pop(METADATA_NAME, None)
    return len(write(model))


def _variable_bytes(manifest: Manifest) -> int:
    return sum(4 * math.prod(spec.shape) for spec in manifest.variables)


def _parts(content: bytes) -> dict[str, int]:
    """Take one part after the other out of a file; how many bytes smaller it got each time."""
    model = read(content)
    manifest = len(model.files[MANIFEST_FILE])
    sizes = {f"`{MANIFEST_FILE}`": manifest}
    initializer = _initializer(model)
    _keep_apart(model, initializer)
    before = len(content)

    def took(name: str, extra: int = 0) -> None:
        nonlocal before
        after = len(write(model))
        sizes[name] = before - after - extra
        before = after

    model.files.clear()
    took("labels, and the ZIP itself", manifest)
    for signature in [each for each in model.signatures if each.key != "infer"]:
        model.signatures.remove(signature)
        model.graphs.remove(signature.graph)
        took(f"`{signature.key}`")
    model.metadata.pop(METADATA_NAME)
    took("metadata")
    initializer.remove(list(initializer.ops))
    initializer.prune()
    took("the variables, beyond their values")
    return sizes


def _keep_apart(model: Model, initializer: Graph) -> None:
    """Let no two variables share their first values, as none did when the file was written."""
    values = {id(tensor.data) for tensor in initializer.tensors if tensor.data is not None}
    for graph in model.graphs:
        for tensor in graph.tensors:
            tensor.exclusive = id(tensor.data) in values


def _initializer(model: Model) -> Graph:
    """The graph that gives the variables their first values."""
    return next(graph for graph in model.graphs if graph.name == "initializer")


def _promise(name: str, sizes: dict[str, int]) -> Promise:
    added = sizes["**added to the cut base, beyond the variables**"]
    return Promise(
        f"{name}: the head adds under 10 KB plus its variables", f"{added:,} bytes", added < _LIMIT
    )


if __name__ == "__main__":
    main(run)
