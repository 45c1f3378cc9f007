"""Folders and CSVs of labelled files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sartor.errors import DataError
from sartor.modalities import FileLabel, Listing, read_folder, read_labels


def create(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def content(listing: Listing, folder: Path) -> list[tuple[str, FileLabel]]:
    return [(file.path.relative_to(folder).as_posix(), file.label) for file in listing.files]


def skipped(listing: Listing, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in listing.skipped]


def test_a_folder_has_one_folder_per_class(tmp_path: Path) -> None:
    create(tmp_path, "shoes/b.png", "shoes/a.png", "hat/a.png", ".cache/x", "hat/.DS_Store",
           "hat/Thumbs.db")  # fmt: skip
    listing = read_folder(tmp_path)
    assert content(listing, tmp_path) == [
        ("hat/a.png", "hat"), ("shoes/a.png", "shoes"), ("shoes/b.png", "shoes"),
    ]  # fmt: skip
    assert {file.held_out for file in listing.files} == {None}
    assert listing.skipped == ()


def test_stray_files_and_nested_and_empty_folders_are_listed(tmp_path: Path) -> None:
    create(tmp_path, "notes.txt", "hat/a.png", "hat/old/b.png", "deep/er/c.png")
    (tmp_path / "empty").mkdir()
    listing = read_folder(tmp_path)
    assert content(listing, tmp_path) == [("hat/a.png", "hat")]
    assert skipped(listing, tmp_path) == ["deep", "empty", "hat/old", "notes.txt"]


@pytest.mark.parametrize("name", ["validation", "val", "valid"])
def test_a_folder_may_have_a_part_for_validation(tmp_path: Path, name: str) -> None:
    create(tmp_path, "train/hat/a.png", "train/shoes/b.png", f"{name}/hat/c.png", "test/hat/d.png")
    listing = read_folder(tmp_path)
    assert [(*each, file.held_out) for each, file in
            zip(content(listing, tmp_path), listing.files, strict=True)] == [
        ("train/hat/a.png", "hat", False), ("train/shoes/b.png", "shoes", False),
        (f"{name}/hat/c.png", "hat", True),
    ]  # fmt: skip
    assert skipped(listing, tmp_path) == ["test"]
    create(tmp_path, f"{name}/tie/e.png")
    with pytest.raises(DataError, match="has the class 'tie'"):
        read_folder(tmp_path)


def test_classes_may_be_called_train_and_validation(tmp_path: Path) -> None:
    create(tmp_path, "train/a.png", "validation/b.png")
    assert [label for _, label in content(read_folder(tmp_path), tmp_path)] == [
        "train", "validation",
    ]  # fmt: skip


def test_folders_without_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_folder(tmp_path / "nothing")
    with pytest.raises(DataError, match="contains no folder with files"):
        read_folder(tmp_path)
    create(tmp_path, "a.png")
    with pytest.raises(DataError, match="contains no folder with files"):
        read_folder(tmp_path)
    with pytest.raises(DataError, match="neither a folder nor a CSV file: pass a folder with"):
        read_folder(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="neither a folder nor a CSV file: pass a folder with"):
        read_folder(tmp_path / "pipe")


CSVS: Mapping[str, tuple[str, dict[str, FileLabel]]] = {
    "classification": (
        '\ufefffile,label\na.png,hat\n\n"b,c.png", my hat \n',
        {"a.png": "hat", "b,c.png": "my hat"},
    ),
    "multi_label": (
        "file,label,label\na.png,red,round\nb.png,red\nc.png\nd.png,,red\n",
        {"a.png": ("red", "round"), "b.png": ("red",), "c.png": (), "d.png": ("red",)},
    ),
    "regression": (
        "file,size,age\na.png,1,-2.5e3\nb.png,,7\nc.png,3\n",
        {"a.png": {"size": 1, "age": -2500}, "b.png": {"age": 7}, "c.png": {"size": 3}},
    ),
}


@pytest.mark.parametrize("task", CSVS)
def test_a_csv_has_labels_for_each_task(tmp_path: Path, task: str) -> None:
    path = tmp_path / "labels.csv"
    text, expected = CSVS[task]
    path.write_text(text, encoding="utf-8")
    assert dict(content(read_labels(path, task), tmp_path)) == expected


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        ("classification", "", "begins with 'file,label'"),
        ("classification", "a.png,hat\n", "begins with 'file,label'"),
        ("classification", "label,x,y\nwave,1,2\n", "one file per sample"),
        ("regression", "file\na.png,1\n", "begins with 'file,NAME,NAME'"),
        ("classification", "file,label\n", "no line after its header"),
        ("classification", "file,label\na.png,hat\nb.png,x,y\n", "row 2 .b.png.: expected one"),
        ("classification", "file,label\na.png\n", "expected one label, got 0"),
        ("regression", "file,size\na.png,big\n", "could not convert string to float: 'big'"),
        ("regression", "file,size\na.png,nan\n", "finite numbers, got 'nan'"),
        ("regression", "file,size\na.png,1,2\n", "expected 1 numbers, got 2"),
        ("regression", "file,size\na.png,\n", "finite numbers"),
        ("classification", "file,label\n\xff\n", "neither a folder nor a CSV in UTF-8"),
    ],
)
def test_csvs_that_do_not_fit_the_task_are_refused(
    tmp_path: Path, task: str, text: str, message: str
) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message):
        read_labels(path, task)
