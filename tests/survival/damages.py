"""Damage the files of a user, use them, and print the outcome.

    python damages.py FOLDER FILE FIRST COUNT

FOLDER contains a `model.tflite`; the other files are created from it. FILE is `model`, `fields`
(numbers in the tables of the model, each replaced by another value of its type), `checkpoint`,
`store` or `project`. Each case prints one line: its seed; `works`, `refused`, `strange` or `CRASH`;
and details. `python damages.py FOLDER FILE SEED into OTHER-FOLDER` writes the files of one case.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import forks
import numpy as np
from signing import sign_model

from sartor import PersonalModel
from sartor.contract.manifest import Manifest
from sartor.errors import InvalidModelError, SartorError
from sartor.flatbuffer import append_files, read
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
_LARGE = 64  # bytes; larger constants are rarely damaged, because their values are arbitrary
_BLOCKS = (1, 8, 64, 512, 4096)  # bytes


def prepare(folder: Path) -> None:
    """Create a checkpoint, a store and a project of the model."""
    rng = np.random.default_rng(0)
    path = folder / FILES["model"]
    with PersonalModel(path, store=folder / FILES["store"]) as model:
        for number in range(12):
            model.add_sample(
                random_inputs(model.manifest, rng),
                ("hat", "shoes", "dress")[number % 3],
                held_out=number % 4 == 3,
            )
        model.fit(5)
        model.save(folder / FILES["checkpoint"])
        model.export_project(folder / FILES["project"])


def random_inputs(manifest: Manifest, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return a sample of noise."""
    return {
        spec.name: rng.integers(0, 255, spec.shape).astype(spec.dtype) for spec in manifest.inputs
    }


def damage(content: bytes, constants: list[range], seed: int) -> bytes:
    """Truncate a file, change a few bits or bytes, or fill a block with zeros."""
    rng = np.random.default_rng(seed)
    data = bytearray(content)
    damage_type = rng.choice(["cut", "bits", "bytes", "block"], p=[0.1, 0.45, 0.35, 0.1])
    if damage_type == "cut":
        return bytes(data[: rng.integers(len(data))])
    if damage_type == "block":
        start = int(rng.integers(len(data)))
        end = min(len(data), start + int(rng.choice(_BLOCKS)))
        data[start:end] = bytes(end - start)
        return bytes(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        position = _position(rng, len(data), constants)
        if damage_type == "bits":
            data[position] ^= 1 << int(rng.integers(8))
        else:
            data[position] = rng.choice([0, 1, 2, 127, 128, 254, 255])
    return bytes(data)


def _position(rng: np.random.Generator, size: int, constants: list[range]) -> int:
    for _ in range(100):
        position = int(rng.integers(size))
        if rng.random() < 0.02 or not any(position in each for each in constants):
            break
    return position


def large_constants(content: bytes) -> list[range]:
    """Return the bytes of each large constant of a model."""
    ranges = set()
    for graph in read(content).graphs:
        for tensor in graph.tensors:
            if tensor.data is not None and tensor.data.nbytes > _LARGE:
                start = content.index(tensor.data.tobytes())
                ranges.add(range(start, start + tensor.data.nbytes))
    return sorted(ranges, key=lambda each: each.start)


def change_fields(content: bytes, seed: int) -> bytes:
    """Change one to three values in the tables of a model, and keep the tables valid."""
    rng = np.random.default_rng(seed)
    while True:
        record = Decoder(content, TFLITE).root("Model", b"TFL3", "")
        values = list(_values(record))
        for index in rng.integers(len(values), size=rng.choice([1, 1, 1, 2, 3])):
            container, key, value = values[index]
            container[key] = _other_value(rng, value)
        encoder = Encoder(TFLITE)
        with contextlib.suppress(InvalidModelError):  # the value does not fit its type
            table = encoder.finish(encoder.table("Model", record), b"TFL3")
            return append_files(table, read(content).files)


def _values(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the container, key and value of each number, array and small constant in a table."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        if isinstance(item, dict | list):
            yield from _values(item)
        elif isinstance(item, tuple):
            yield from _values(item[1])
        elif isinstance(item, int | float | np.ndarray | np.generic | bytes):
            size = len(item) if isinstance(item, bytes) else getattr(item, "size", 1)
            if 0 < size <= _LARGE:
                yield value, key, item


def _other_value(rng: np.random.Generator, value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bytes):  # a constant: axes, sizes, or scalars
        dtype = np.int32 if len(value) % 4 == 0 else np.uint8
        return _other_value(rng, np.frombuffer(value, dtype)).tobytes()
    if isinstance(value, np.ndarray):
        array = value.copy()
        index = rng.integers(array.size)
        array[index] = np.array(_other_value(rng, array[index].item())).astype(array.dtype)
        return array
    if isinstance(value, bool):
        return not value
    near = [value - 1, value + 1, value + 2, 2 * value + 1, value // 2]
    far = [0, 1, 2, 3, 5, 17, 100, 1000, 65536, 10**6, -1, -2, 127, -128]
    return type(value)(rng.choice(near if rng.random() < 0.5 else far))


def use(folder: Path, file: str) -> str:
    """Use the files as an app does, and return the outcome."""
    try:
        if file == "project":
            folder = unpack_project(folder / FILES["project"], folder / "unpacked")
        return _use(folder)
    except (SartorError, OSError) as error:
        return f"refused {type(error).__name__} {' '.join(str(error).split())}"


def _use(folder: Path) -> str:
    rng = np.random.default_rng(1)
    with PersonalModel(folder / FILES["model"], store=folder / FILES["store"]) as model:
        model.load(folder / FILES["checkpoint"])
        sample = random_inputs(model.manifest, rng)
        model.predict(sample)
        if model.samples:
            model.evaluate()
        model.add_sample(sample, model.classes[0] if model.classes else "new")
        model.fit(2)
        predictions = model.predict(sample)
        model.save(folder / "new.safetensors")
        model.export_project(folder / "new.sartor")
        total = sum(each.probability for each in predictions)
    return "works" if abs(total - 1) < 1e-3 else f"strange probabilities, which sum to {total}"


def run_case(files: Mapping[str, bytes], constants: list[range], file: str, seed: int) -> str:
    """Damage and use the files of one case, and return the outcome."""
    with tempfile.TemporaryDirectory(prefix="sartor-damage-") as name:
        folder = Path(name)
        _write(files, constants, file, seed, folder)
        return forks.outcome(partial(use, folder, file), seconds=_SECONDS, memory=_MEMORY)


def _write(
    files: Mapping[str, bytes], constants: list[range], file: str, seed: int, folder: Path
) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    original = files[FILES[file]]
    new = change_fields(original, seed) if file == "fields" else damage(original, constants, seed)
    # otherwise the digest would detect all damage
    (folder / FILES[file]).write_bytes(sign_model(new) if file in ("model", "fields") else new)


def main(source: Path, file: str, first: int, count: str, output: str = "") -> None:
    """Run some cases, or write the files of one."""
    if not (source / FILES["project"]).exists():
        prepare(source)
    files = {name: (source / name).read_bytes() for name in FILES.values()}
    constants = large_constants(files[FILES["model"]]) if file == "model" else []
    if count == "into":
        _write(files, constants, file, first, Path(output))
        return
    for seed in range(first, first + int(count)):
        print(seed, run_case(files, constants, file, seed), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
