"""Samples: the value of each input of the base, read once and decoded at most once."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np

from .._random_numbers import RandomNumbers
from ..contract.manifest import InputSpec
from ..errors import DataError, StoreError
from .files import parse_npy, parse_npz, read_bytes
from .image.values import Image
from .table import modality_of

__all__ = [
    "LoadedSample",
    "Sample",
    "identity_of_name",
    "is_sample_file",
    "load",
    "load_stored",
    "prepare",
]

Sample: TypeAlias = "Image | Mapping[str, Image]"
"""An image or an array; for a base with several inputs, a mapping from their names."""

_DRAWS = 4  # random numbers per augmentation
_ARCHIVE, _ARRAY = b"PK", b"\x93NUMPY"  # first bytes of an .npz and an .npy file


class LoadedSample:
    """A sample whose files are read. Create it with `load`.

    Args:
        specs: specs of the base's inputs.
        sample: see `load`.

    Raises:
        DataError, OSError: See `load`.
    """

    def __init__(self, specs: Sequence[InputSpec], sample: Sample) -> None:
        if len(specs) > 1:
            sample = _read_inputs(sample)
        self._has_names = isinstance(sample, Mapping)
        values = sample if isinstance(sample, Mapping) else {specs[0].name: sample}
        names = [spec.name for spec in specs]
        if set(values) != set(names):
            got = ", ".join(map(str, values)) if self._has_names else "one value without a name"
            raise DataError(
                f"the model's inputs are {', '.join(names)}; got {got}. "
                "Give a mapping from names to values"
            )
        self._specs = specs
        self._inputs = {
            spec.name: modality_of(spec).load(spec, values[spec.name]) for spec in specs
        }

    def inputs(self) -> dict[str, np.ndarray]:
        """Return the inputs of the base: name → array, with the shapes and dtypes of the specs.

        Raises:
            DataError: If a value cannot be decoded or does not fit its input.
        """
        return dict(self._arrays)

    def augmentations(self, count: int, seed: int) -> list[dict[str, np.ndarray]]:
        """Return augmented inputs. All images of a sample are cropped and lit in the same way.

        Args:
            count: number of augmentations, at least 0.
            seed: seed of the random numbers; its lowest 32 bits are used. Each sample needs its
                own, or all samples are cropped at the same places.

        Raises:
            DataError: If the sample cannot be augmented.
        """
        if count < 0:
            raise DataError(f"the number of augmentations must be at least 0, got {count}")
        numbers = RandomNumbers(seed)
        augmentations = []
        for number in range(1, count + 1):
            draws = (numbers.draw(_DRAWS) >> 16).tolist()
            augmentations.append(
                {name: each.augmented(number, iter(draws)) for name, each in self._inputs.items()}
            )
        return augmentations

    @cached_property
    def identity(self) -> bytes:
        """SHA-256 of the content: equal for two samples with the same content.

        A file counts by its bytes, an image or array by its values. A sample given by the names
        of the inputs, and any tensor, also counts by these names.
        """
        if not self._has_names and modality_of(self._specs[0]).reads_files:
            return self._inputs[self._specs[0].name].digest()
        digest = hashlib.sha256()
        for name in sorted(self._inputs):
            digest.update(name.encode() + b"\0" + self._inputs[name].digest())
        return digest.digest()

    def stored_bytes(self) -> bytes:
        """Return the bytes that a store keeps, from which another base can embed the sample.

        A file is kept as it is, an image as PNG, an array as `.npy`, several inputs as `.npz`.
        """
        if not self._has_names:
            return self._inputs[self._specs[0].name].stored_bytes()
        file = io.BytesIO()
        np.savez(file, **self._arrays)  # type: ignore[arg-type]  # an input may be named "file"
        return file.getvalue()

    def thumbnail(self) -> bytes | None:
        """Return a thumbnail (PNG) of the first input that has one; None if no input has one."""
        thumbnails = (each.thumbnail() for each in self._inputs.values())
        return next((each for each in thumbnails if each is not None), None)

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: each.array() for name, each in self._inputs.items()}


def _read_inputs(sample: Sample) -> Sample:
    """Return the arrays of an `.npz` file by name; other samples as they are."""
    content = None if isinstance(sample, Mapping) else read_bytes(sample)
    if content is None:
        return sample
    try:
        return parse_npz(content)
    except Exception as error:  # NumPy raises many types for damaged files
        raise DataError(
            f"{sample if isinstance(sample, str | os.PathLike) else 'the file'} is not an .npz "
            f"file with an array for each input, or is damaged: {error}"
        ) from error


def is_sample_file(specs: Sequence[InputSpec], path: str | os.PathLike[str]) -> bool:
    """Return whether a file is likely a sample, judged by its name."""
    suffixes = modality_of(specs[0]).suffixes if len(specs) == 1 else (".npz",)
    return os.path.splitext(path)[1].lower() in suffixes


def load(specs: Sequence[InputSpec], sample: Sample) -> LoadedSample:
    """Read the files of a sample once. Images are decoded when first needed.

    Args:
        specs: specs of the base's inputs.
        sample: for an image a path, the bytes of an image file, a binary file object, a PIL
            image, or pixels [height, width, channels]: integers 0…255, or floats 0…1 or 0…255. For
            any input an array of exactly its shape, which is fed without preprocessing. A base
            with several inputs takes a mapping from their names.

    Raises:
        DataError: If the names do not match the inputs.
        OSError: If a file does not exist or cannot be read.
    """
    return LoadedSample(specs, sample)


def prepare(specs: Sequence[InputSpec], sample: Sample) -> dict[str, np.ndarray]:
    """Return the inputs of the base for one sample: name → array.

    Args:
        specs: specs of the base's inputs.
        sample: see `load`.

    Raises:
        DataError: If the sample does not fit the model.
        OSError: If a file does not exist or cannot be read.
    """
    return load(specs, sample).inputs()


def load_stored(specs: Sequence[InputSpec], content: bytes) -> LoadedSample:
    """Create a sample from the result of `LoadedSample.stored_bytes`.

    Raises:
        StoreError: If the bytes are damaged.
        DataError: If the sample does not fit the model.
    """
    if not content.startswith((_ARCHIVE, _ARRAY)):
        return load(specs, content)
    try:
        is_archive = content.startswith(_ARCHIVE)
        sample = parse_npz(content) if is_archive else parse_npy(content, "")
    except Exception as error:  # NumPy raises many types for damaged files
        raise StoreError(f"a stored photo cannot be read: {error}. Add the sample again") from error
    return load(specs, sample)


def identity_of_name(name: str) -> bytes:
    """Return the identity of a sample that the app identifies by a name, such as an asset ID.

    Raises:
        DataError: If the name is not a text that UTF-8 can encode.
    """
    if not isinstance(name, str) or not name.isprintable():
        raise DataError(f"a source must be a printable text, such as an asset ID; got {name!r}")
    return hashlib.sha256(b"name\0" + name.encode()).digest()
