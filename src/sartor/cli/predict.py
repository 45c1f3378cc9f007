"""`sartor predict`: predict the classes of photos."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DataError
from ._inputs import InputFile, list_inputs, list_samples, read_input
from ._options import BakedOrCheckpoint, ModelFile
from ._progress import progress
from ._user import find_checkpoint
from .report import Json, describe_os_error, fail, note, percent, print_json, print_table, shorten

if TYPE_CHECKING:
    from ..runtime import PersonalModel

__all__ = ["open_trained", "predict"]

_LIKELY = 0.5  # a label with a larger probability applies


def predict(
    model: ModelFile,
    photos: Annotated[
        list[str],
        typer.Argument(
            help="Photos, folders of photos, or - for standard input. For a model of numbers, .npy "
            "and .csv files; a CSV may have one sample per line.",
            metavar="PHOTO...",
        ),
    ],
    checkpoint: BakedOrCheckpoint = None,
    top: Annotated[int, typer.Option(help="Number of classes to show.", min=1)] = 3,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Predict the classes of photos."""
    if as_csv and as_json:
        raise typer.BadParameter("give --csv or --json, not both", param_hint="--csv")
    files = list_inputs(photos)
    if not files:
        fail(f"{', '.join(photos)} contains no photo")
    with open_trained(model, find_checkpoint(model, checkpoint)) as personal:
        task = personal.manifest.task
        inputs = personal.manifest.inputs
        rows = _predict(personal, [each for file in files for each in list_samples(file, inputs)])
    if as_json:
        print_json([_describe(row, task, top) for row in rows])
    elif as_csv:
        _print_csv(rows, task, top)
    else:
        _print(rows, task, top)
    failures = sum(row.error is not None for row in rows)
    if failures:
        fail(f"{failures} of {len(rows)} photos cannot be read; the rest are predicted")


@dataclass(frozen=True)
class _Row:
    """The result of one photo.

    Attributes:
        file: path of the photo.
        outputs: name → output, the largest first for classes; empty if there is an error.
        in_distribution: see `Predictions`.
        error: why the photo cannot be read, or None.
    """

    file: str
    outputs: Mapping[str, float]
    in_distribution: bool | None = None
    error: str | None = None


def _predict(model: PersonalModel, files: Sequence[InputFile]) -> list[_Row]:
    """Predict the files; a file that cannot be read does not stop the others.

    Raises:
        DataError, OSError: If the only file cannot be read, or no file of the folders.
    """
    from ..modalities import is_sample_file

    rows, skipped = [], []
    with progress("predicting") as show:
        for number, file in enumerate(files, 1):
            try:
                rows.append(_predict_file(model, file))
            except (DataError, OSError) as error:
                if len(files) == 1:
                    raise
                reason = describe_os_error(error) if isinstance(error, OSError) else str(error)
                if file.is_named or is_sample_file(model.manifest.inputs, file.path):
                    rows.append(_Row(file.path, {}, error=reason.removeprefix(f"{file.path} ")))
                else:
                    skipped.append(file.path)
            show(number, len(files), "")
    if not rows:
        raise DataError(f"none of the {len(files)} files is a photo: {skipped[0]}, …")
    if skipped:
        note(f"skipped {len(skipped)} (no photo): {shorten(skipped)}")
    return rows


def _predict_file(model: PersonalModel, file: InputFile) -> _Row:
    if model.manifest.task == "regression":
        return _Row(file.path, model.predict_values(read_input(file)))
    predictions = model.predict(read_input(file))
    outputs = {each.label: each.probability for each in predictions}
    return _Row(file.path, outputs, predictions.in_distribution)


def _describe(row: _Row, task: str, top: int) -> dict[str, object]:
    """Return the JSON object of one photo; `in_distribution` is null if no detector is fitted."""
    if row.error is not None:
        return {"file": row.file, "error": row.error}
    if task == "regression":
        return {"file": row.file, "values": dict(row.outputs)}
    return {
        "file": row.file,
        "in_distribution": row.in_distribution,
        "top": [
            {"label": label, "probability": probability}
            for label, probability in list(row.outputs.items())[:top]
        ],
    }


def _print_csv(rows: Sequence[_Row], task: str, top: int) -> None:
    """Print one line per photo, with the columns `file`, `error`, and those of the task."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = list(next((row.outputs for row in rows if row.outputs), {}))
    if task == "regression":
        writer.writerow(["file", *names, "error"])
        for row in rows:
            writer.writerow([row.file, *(row.outputs.get(name, "") for name in names), row.error])
        return
    count = min(top, len(names))
    numbers = ["", *(f"_{number}" for number in range(2, count + 1))]
    columns = [f"{name}{number}" for number in numbers for name in ("label", "probability")]
    writer.writerow(["file", *columns, "in_distribution", "error"])
    for row in rows:
        best = [value for pair in list(row.outputs.items())[:count] for value in pair]
        in_distribution = "" if row.in_distribution is None else str(row.in_distribution).lower()
        writer.writerow([row.file, *(best or [""] * 2 * count), in_distribution, row.error])


def _print(rows: Sequence[_Row], task: str, top: int) -> None:
    cells = {
        "classification": _class_cells, "multi_label": _label_cells, "regression": _value_cells
    }[task]  # fmt: skip
    head = {
        "classification": ("photo", "class", "probability", "next classes"),
        "multi_label": ("photo", "labels", "other labels"),
        "regression": ("photo", "values"),
    }[task]
    empty = ("",) * (len(head) - 2)
    print_table(
        head,
        [
            (row.file, *(cells(row, top) if row.error is None else (f"? {row.error}", *empty)))
            for row in rows
        ],
    )


def _class_cells(row: _Row, top: int) -> tuple[str, ...]:
    """Return the class, its probability and the next classes."""
    first, *rest = list(row.outputs.items())[:top]
    if row.in_distribution is False:  # a probability would state how sure the model is of a class
        return "none of these", "–", f"nearest: {first[0]}"
    return first[0], percent(first[1]), _lines(rest)


def _label_cells(row: _Row, top: int) -> tuple[str, ...]:
    """Return the labels that apply, and some of the others."""
    outputs = list(row.outputs.items())
    labels = [each for each in outputs if each[1] > _LIKELY]
    return _lines(labels) or "none", _lines(outputs[len(labels) :][:top])


def _value_cells(row: _Row, top: int) -> tuple[str, ...]:
    return ("\n".join(f"{name} {value:.4g}" for name, value in row.outputs.items()),)


def _lines(outputs: Sequence[tuple[str, float]]) -> str:
    return "\n".join(f"{label} {percent(probability)}" for label, probability in outputs)


def open_trained(model: Path, checkpoint: Path | None) -> PersonalModel:
    """Open a model that has classes.

    Raises:
        DataError: If it has none.
    """
    from ..runtime import PersonalModel

    personal = PersonalModel(model)
    try:
        if checkpoint is not None:
            for message in personal.load(checkpoint):
                note(message)
        if not personal.classes:
            raise DataError(
                f"{model} has no class yet: train it with `sartor fit`, or name a checkpoint with "
                "--checkpoint"
            )
    except BaseException:
        personal.close()
        raise
    return personal
