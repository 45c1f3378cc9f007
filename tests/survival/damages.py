"""Damages every file that a user may have, uses what is left, and says what came of it.

    python damages.py FOLDER KIND FIRST COUNT

FOLDER has a `model.tflite`; the other files are made of it. KIND is `model`, `fields` (numbers in
the tables of the model, each with another value that it can hold), `checkpoint`, `store` or
`project`. A line a case: its seed; `works`, `refused`, `strange` or `CRASH`; and details. The files
of one case are made by `python damages.py FOLDER KIND SEED into OTHER-FOLDER`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import forks
import numpy as np

from sartor import PersonalModel
from sartor.contract.manifest import Manifest
from sartor.contract.names import MANIFEST_FILE
from sartor.errors import InvalidModelError, SartorError
from sartor.flatbuffer import append_files, files_start, read
from sartor.flatbuffer.decode import Decoder
from sartor.flatbuffer.encode import Encoder
from sartor.flatbuffer.schema import TFLITE
from sartor.runtime import unpack_project

FILES = {
    "model": "model.tflite",
    "fields": "model.tflite",
    "checkpoint": "checkpoint.safetensors",
    "store": "checkpoint.samples",
    "project": "mine.sartor",
}
_SECONDS = 30
_MEMORY = 1 << 30  # bytes
_SPARED = 64  # bytes from which on a constant is mostly left alone: its bits are no news
_LOST = (1, 8, 64, 512, 4096)  # bytes


def prepare(folder: Path) -> None:
    """Make the other files of a model's."""
    rng = np.random.default_rng(0)
    path = folder / FILES["model"]
    with PersonalModel(path, store=folder / FILES["store"]) as model:
        for number in range(12):
            model.add_sample(
                inputs_of(model.manifest, rng),
                ("hat", "shoes", "dress")[number % 3],
                held_out=number % 4 == 3,
            )
        model.fit(5)
        model.save(folder / FILES["checkpoint"])
        model.export_project(folder / FILES["project"])


def inputs_of(manifest: Manifest, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A sample of noise."""
    return {
        spec.name: rng.integers(0, 255, spec.shape).astype(spec.dtype) for spec in manifest.inputs
    }


def damaged(content: bytes, spared: list[range], seed: int) -> bytes:
    """A file cut short, with a few bits or bytes changed, or with a block lost."""
    rng = np.random.default_rng(seed)
    data = bytearray(content)
    way = rng.choice(["cut", "bits", "bytes", "block"], p=[0.1, 0.45, 0.35, 0.1])
    if way == "cut":
        return bytes(data[: rng.integers(len(data))])
    if way == "block":
        start = int(rng.integers(len(data)))
        end = min(len(data), start + int(rng.choice(_LOST)))
        data[start:end] = bytes(end - start)
        return bytes(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        place = _place(rng, len(data), spared)
        if way == "bits":
            data[place] ^= 1 << int(rng.integers(8))
        else:
            data[place] = rng.choice([0, 1, 2, 127, 128, 254, 255])
    return bytes(data)


def _place(rng: np.random.Generator, size: int, spared: list[range]) -> int:
    for _ in range(100):
        place = int(rng.integers(size))
        if rng.random() < 0.02 or not any(place in each for each in spared):
            break
    return place


def weights(content: bytes) -> list[range]:
    """Where the large constants of a model are."""
    found = set()
    for graph in read(content).graphs:
        for tensor in graph.tensors:
            if tensor.data is not None and tensor.data.nbytes > _SPARED:
                start = content.index(tensor.data.tobytes())
                found.add(range(start, start + tensor.data.nbytes))
    return sorted(found, key=lambda each: each.start)


def misled(content: bytes, seed: int) -> bytes:
    """A model whose tables are whole, with wrong numbers in one to three places."""
    rng = np.random.default_rng(seed)
    while True:
        record = Decoder(content, TFLITE).root("Model", b"TFL3", "")
        places = list(_places(record))
        for index in rng.integers(len(places), size=rng.choice([1, 1, 1, 2, 3])):
            holder, key, value = places[index]
            holder[key] = _wrong(rng, value)
        encoder = Encoder(TFLITE)
        with contextlib.suppress(InvalidModelError):  # a number that its type cannot hold
            table = encoder.finish(encoder.table("Model", record), b"TFL3")
            return append_files(table, read(content).files)


def _places(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Each number, list of numbers and small constant in a table: where it is, and itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        if isinstance(item, dict | list):
            yield from _places(item)
        elif isinstance(item, tuple):
            yield from _places(item[1])
        elif isinstance(item, int | float | np.ndarray | np.generic | bytes):
            size = len(item) if isinstance(item, bytes) else getattr(item, "size", 1)
            if 0 < size <= _SPARED:
                yield value, key, item


def _wrong(rng: np.random.Generator, value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bytes):  # of a constant: axes, sizes, or scalars
        kind = np.int32 if len(value) % 4 == 0 else np.uint8
        return _wrong(rng, np.frombuffer(value, kind)).tobytes()
    if isinstance(value, np.ndarray):
        found = value.copy()
        place = rng.integers(found.size)
        found[place] = np.array(_wrong(rng, found[place].item())).astype(found.dtype)
        return found
    if isinstance(value, bool):
        return not value
    near = [value - 1, value + 1, value + 2, 2 * value + 1, value // 2]
    far = [0, 1, 2, 3, 5, 17, 100, 1000, 65536, 10**6, -1, -2, 127, -128]
    return type(value)(rng.choice(near if rng.random() < 0.5 else far))


def use(folder: Path, kind: str) -> str:
    """Do with the files what an app does with them; says what came of it."""
    try:
        if kind == "project":
            folder = unpack_project(folder / FILES["project"], folder / "unpacked")
        return _used(folder)
    except (SartorError, OSError) as error:
        return f"refused {type(error).__name__} {' '.join(str(error).split())}"


def _used(folder: Path) -> str:
    rng = np.random.default_rng(1)
    with PersonalModel(folder / FILES["model"], store=folder / FILES["store"]) as model:
        model.load(folder / FILES["checkpoint"])
        sample = inputs_of(model.manifest, rng)
        model.predict(sample)
        if model.samples:
            model.evaluate()
        model.add_sample(sample, model.classes[0] if model.classes else "new")
        model.fit(2)
        found = model.predict(sample)
        model.save(folder / "new.safetensors")
        model.export_project(folder / "new.sartor")
        total = sum(each.probability for each in found)
    return "works" if abs(total - 1) < 1e-3 else f"strange probabilities, which sum to {total}"


def without_digest(content: bytes) -> bytes:
    """A model whose manifest has no digest, as another writer's may."""
    kept = dict(read(content).files)
    kept[MANIFEST_FILE] = json.dumps(json.loads(kept[MANIFEST_FILE]) | {"digest": None}).encode()
    return append_files(content[: files_start(content)], kept)


def case(files: Mapping[str, bytes], spared: list[range], kind: str, seed: int) -> str:
    """What comes of one case."""
    with tempfile.TemporaryDirectory(prefix="sartor-damage-") as name:
        folder = Path(name)
        _write(files, spared, kind, seed, folder)
        return forks.outcome(partial(use, folder, kind), seconds=_SECONDS, memory=_MEMORY)


def _write(
    files: Mapping[str, bytes], spared: list[range], kind: str, seed: int, folder: Path
) -> None:
    for each, content in files.items():
        (folder / each).write_bytes(content)
    whole = files[FILES[kind]]
    new = misled(whole, seed) if kind == "fields" else damaged(whole, spared, seed)
    (folder / FILES[kind]).write_bytes(new)


def main(source: Path, kind: str, first: int, count: str, other: str = "") -> None:
    """Do what the module says."""
    if not (source / FILES["project"]).exists():
        prepare(source)
    files = {name: (source / name).read_bytes() for name in FILES.values()}
    if kind in ("model", "fields"):  # else its digest would keep all damage from what lies behind
        files[FILES["model"]] = without_digest(files[FILES["model"]])
    spared = weights(files[FILES["model"]]) if kind == "model" else []
    if count == "into":
        _write(files, spared, kind, first, Path(other))
        return
    for seed in range(first, first + int(count)):
        print(seed, case(files, spared, kind, seed), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
