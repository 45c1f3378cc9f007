"""`sartor predict`: predict the classes of photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import BakedOrCheckpoint, ModelFile
from .report import Json, note, percent, print_json, print_table

if TYPE_CHECKING:
    from ..runtime import PersonalModel, Predictions

__all__ = ["open_trained", "predict"]


def predict(
    model: ModelFile,
    files: Annotated[list[Path], typer.Argument(help="Photos.", metavar="PHOTO...")],
    checkpoint: BakedOrCheckpoint = None,
    top: Annotated[int, typer.Option(help="Number of classes to show.", min=1)] = 3,
    as_json: Json = False,
) -> None:
    """Predict the classes of photos."""
    with open_trained(model, checkpoint) as personal:
        results = [(str(file), personal.predict(file)) for file in files]
    if as_json:
        print_json([_describe(file, predictions, top) for file, predictions in results])
        return
    rows = [
        (
            file,
            best.label
            if predictions.best is not None
            else f"none of these (nearest: {best.label})",
            percent(best.probability),
            "\n".join(f"{each.label} {percent(each.probability)}" for each in rest),
        )
        for file, predictions in results
        for best, *rest in [predictions[:top]]
    ]
    print_table(("photo", "class", "probability", "next classes"), rows)


def _describe(file: str, predictions: Predictions, top: int) -> dict[str, object]:
    """Return the JSON object of one photo; `in_distribution` is null if no detector is fitted."""
    return {
        "file": file,
        "in_distribution": predictions.in_distribution,
        "top": [{"label": p.label, "probability": p.probability} for p in predictions[:top]],
    }


def open_trained(model: Path, checkpoint: Path | None) -> PersonalModel:
    """Open a model that has classes.

    Raises:
        DataError: If it has none.
    """
    from ..errors import DataError
    from ..runtime import PersonalModel

    personal = PersonalModel(model)
    try:
        if checkpoint is not None:
            for message in personal.load(checkpoint):
                note(message)
        if not personal.classes:
            raise DataError(
                f"{model} has no class yet: add --checkpoint with a file that `sartor fit` wrote"
            )
    except BaseException:
        personal.close()
        raise
    return personal
