"""Arrays in files: `.npy`, `.npz`, and text with numbers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from sartor.contract.manifest import InputSpec
from sartor.errors import DataError
from sartor.modalities import load, prepare
from sartor.modalities.files import read_array

WINDOW = InputSpec("window", (1, 4, 3), "float32")
COUNTS = InputSpec("counts", (1, 3), "int32")
VALUES = np.arange(12.0).reshape(4, 3) / 4


def test_a_file_gives_the_same_sample_as_its_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", VALUES[np.newaxis])
    expected = load([WINDOW], VALUES[np.newaxis])
    for separator, name in ((",", "x.csv"), ("; ", "y.csv"), ("\t", "z.tsv"), (" ", "x.txt")):
        lines = [separator.join(map(str, row)) for row in VALUES.tolist()]
        header = separator.join("xyz")
        (tmp_path / name).write_text("\n".join([header, *lines, ""]))
    for path in sorted(tmp_path.iterdir()):
        for value in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
            sample = load([WINDOW], value)
            np.testing.assert_array_equal(sample.inputs()["window"], expected.inputs()["window"])
            assert sample.identity == expected.identity


def test_the_batch_axis_may_be_left_out() -> None:
    with_batch = load([WINDOW], VALUES[np.newaxis])
    without = load([WINDOW], VALUES)
    np.testing.assert_array_equal(without.inputs()["window"], with_batch.inputs()["window"])
    assert without.identity == with_batch.identity
    assert without.stored_bytes() == with_batch.stored_bytes()


def test_whole_numbers_fit_integer_inputs() -> None:
    assert prepare([COUNTS], b"3,4,5\n")["counts"].tolist() == [[3, 4, 5]]
    with pytest.raises(DataError, match="got float64"):
        prepare([COUNTS], b"3,4,5.5\n")


def test_several_inputs_are_an_npz(tmp_path: Path) -> None:
    arrays = {"window": VALUES[np.newaxis].astype(np.float32), "counts": np.array([[1, 2, 3]])}
    np.savez(tmp_path / "x.npz", window=arrays["window"], counts=arrays["counts"])
    inputs = prepare([WINDOW, COUNTS], tmp_path / "x.npz")
    assert {name: array.tolist() for name, array in inputs.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    with pytest.raises(DataError, match="npz"):
        prepare([WINDOW, COUNTS], b"PK nonsense")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "contains no numbers"),
        (b"a,b,c\n", "contains no numbers"),
        (b"1,2,3\n1,2\n", "line 2 is '1,2', expected 3 numbers"),
        (b"1,2,3\n1,x,3\n", "line 2 is '1,x,3'"),
        (b"1,2\n" * 3, r"got float64 \[3, 2\]"),
        (b"\xff\xfe\x00", "neither an array"),
        (b"\x93NUMPY nonsense", "cannot be read"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepare([WINDOW], content)


def test_objects_in_a_file_are_not_run() -> None:
    file = io.BytesIO()
    np.save(file, np.array([print], object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        read_array(WINDOW, file.getvalue())
