"""CSVs with one sample of numbers per line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sartor.contract.manifest import InputSpec
from sartor.errors import DataError
from sartor.modalities import has_files, prepare, read_labelled_windows, read_windows

WINDOW = InputSpec("window", (1, 2, 2), "float32")
COUNTS = InputSpec("counts", (1, 4), "int32")

TABLES = {
    "a header, the label last": "a0,b0,a1,b1,move\n1,2,3,4,wave\n5,6,7,8,circle\n",
    "a header, the label named": "Label;a0;b0;a1;b1\nwave;1;2;3;4\ncircle;5;6;7;8\n",
    "no header, the label last": "1,2,3,4,wave\n\n5,6,7,8,circle\n",
    "no header, the label first": "wave\t1\t2\t3\t4\ncircle\t5\t6\t7\t8\n",
    "columns with numbers as names, and an index": (
        ",0,1,2,3,class\n0,1,2,3,4,wave\n1,5,6,7,8,circle\n"
    ),
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_each_line_is_a_sample(tmp_path: Path, text: str) -> None:
    path = tmp_path / "moves.csv"
    path.write_text("\ufeff" + text, encoding="utf-8")
    files = read_labelled_windows(path, WINDOW, "classification").files
    assert [each.label for each in files] == ["wave", "circle"]
    samples = [prepare([WINDOW], each.sample)["window"].tolist() for each in files]
    assert samples == [[[[1, 2], [3, 4]]], [[[5, 6], [7, 8]]]]
    lines = [line for line, text in enumerate(text.split("\n"), 1) if text][-2:]
    assert [str(each.path) for each in files] == [f"{path}:{line}" for line in lines]
    windows = read_windows(path, [WINDOW])
    assert [name for name, _ in windows] == [each.path for each in files]
    assert [values.tolist() for _, values in windows] == samples
    assert not has_files(path)


def test_labels_that_are_numbers_are_the_last_column(tmp_path: Path) -> None:
    path = tmp_path / "moves.csv"
    path.write_text("1,2,3,4,0\n5,6,7,8,1\n")
    files = read_labelled_windows(path, COUNTS, "classification").files
    assert [each.label for each in files] == ["0", "1"]
    assert [prepare([COUNTS], each.sample)["counts"].tolist() for each in files] == [
        [[1, 2, 3, 4]], [[5, 6, 7, 8]]
    ]  # fmt: skip


def test_several_labels_and_numbers_are_the_last_columns(tmp_path: Path) -> None:
    path = tmp_path / "moves.csv"
    path.write_text("a,b,c,d,speed,size\n1,2,3,4,0.5,\n5,6,7,8,2,3\n")
    files = read_labelled_windows(path, WINDOW, "regression").files
    assert [each.label for each in files] == [{"speed": 0.5}, {"speed": 2, "size": 3}]
    files = read_labelled_windows(path, WINDOW, "multi_label").files
    assert [each.label for each in files] == [("0.5",), ("2", "3")]


def test_windows_without_labels_are_predicted(tmp_path: Path) -> None:
    path = tmp_path / "moves.csv"
    path.write_text("1,2,3,4\n5,6,7,8\n")
    assert [values.tolist() for _, values in read_windows(path, [WINDOW])] == [
        [[[1, 2], [3, 4]]], [[[5, 6], [7, 8]]]
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "1,2,3,4\n", "x,y\n1,2\n3,4\n", "1,2,3\n", "", "a"])
def test_other_texts_are_one_sample(tmp_path: Path, text: str) -> None:
    path = tmp_path / "move.csv"
    path.write_text(text)
    assert read_windows(path, [WINDOW]) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3,4\n5,6,7,8\n", r"has 4 columns; expected 4 numbers, .* window \[1, 2, 2\] row by"),
        ("1,2,3,wave\n", r"has 4 columns; expected 4 numbers"),
        ("a,b,c,d,label,e\n1,2,3,4,wave,5\n", r"has 6 columns; expected 4 numbers"),
        ("1,2,3,4,wave\n5,6,7,8\n", "line 2: expected 5 columns, got 4"),
        (
            "a,b,c,d,label\n1,2,x,4,wave\n",
            r"line 2, column 3 \(c\): expected a float32 number, got 'x'",
        ),
        (
            "1,2,3,4,wave\n5,,7,8,wave\n",
            "line 2, column 2: expected a float32 number, got ''",
        ),
        (
            "1,2,3,4,wave\n5,nan,7,8,wave\n",
            "line 2, column 2: expected a float32 number, got 'nan'",
        ),
        ("1,2,3,4,wave\n5,1e300,7,8,wave\n", "a float32 number, got '1e300'"),
        ("1;2;3;4;wave\n5;0,5;7;8;wave\n", "a float32 number with a decimal point, got '0,5'"),
        ("a,b,c,d,label\n1,2,3,4,\n", "line 2: expected one label, got 0"),
        ("a,b,c,d,label\n", "no line with numbers"),
        ("", "no line with numbers"),
        ("\xff", "neither a folder nor a CSV in UTF-8"),
    ],
)
def test_lines_that_do_not_fit_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "moves.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message):
        read_labelled_windows(path, WINDOW, "classification")


def test_numbers_without_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "moves.csv"
    path.write_text("1,2,3,4,0.5\n")
    with pytest.raises(DataError, match="line 1: expected a first line with the names"):
        read_labelled_windows(path, WINDOW, "regression")


def test_integers_fit_a_float_input(tmp_path: Path) -> None:
    values = np.arange(4).reshape(2, 2)
    expected = prepare([WINDOW], values.astype(np.float32))["window"]
    for dtype in (np.uint8, np.int16, np.int64):
        array = prepare([WINDOW], values.astype(dtype))["window"]
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected)
    with pytest.raises(DataError, match="got int64"):
        prepare([WINDOW], np.full((2, 2), (1 << 24) + 1))
