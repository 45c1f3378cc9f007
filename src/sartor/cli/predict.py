"""`sartor predict`: what photos show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .report import Json, note, percent, print_json, print_table

if TYPE_CHECKING:
    from ..runtime import PersonalModel, Predictions

__all__ = ["CheckpointOption", "opened", "predict"]

CheckpointOption = Annotated[
    Path | None, typer.Option("--checkpoint", help="What was learned; a baked model needs none.")
]


def predict(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    files: Annotated[list[Path], typer.Argument(help="Photos.", metavar="FILE...")],
    checkpoint: CheckpointOption = None,
    top: Annotated[int, typer.Option(help="Show this many classes.", min=1)] = 3,
    as_json: Json = False,
) -> None:
    """Tell what photos show."""
    with opened(model, checkpoint) as personal:
        found = [(str(file), personal.predict(file)) for file in files]
    if as_json:
        print_json([_described(file, predictions, top) for file, predictions in found])
        return
    width = min(top, max(len(predictions) for _, predictions in found))
    head = ["photo", *(["shows", "sure"] + [f"or {i}" for i in range(1, width)])]
    rows = [
        [
            file,
            best.label if predictions.best is not None else f"none of these (nearest {best.label})",
            percent(best.probability),
            *(f"{p.label} {percent(p.probability)}" for p in rest),
        ]
        for file, predictions in found
        for best, *rest in [predictions[:top]]
    ]
    print_table(head, rows)


def _described(file: str, predictions: Predictions, top: int) -> dict[str, object]:
    """Return the JSON object of one photo; `in_distribution` is null if no detector is fitted."""
    return {
        "file": file,
        "in_distribution": predictions.in_distribution,
        "top": [{"label": p.label, "probability": p.probability} for p in predictions[:top]],
    }


def opened(model: Path, checkpoint: Path | None) -> PersonalModel:
    """A model that knows something; raises DataError when it does not."""
    from ..errors import DataError
    from ..runtime import PersonalModel

    personal = PersonalModel(model)
    try:
        if checkpoint is not None:
            for message in personal.load(checkpoint):
                note(message)
        if not personal.classes:
            raise DataError(
                f"{model} knows no class yet: give what `sartor fit` has learned, "
                "as --checkpoint FILE"
            )
    except BaseException:
        personal.close()
        raise
    return personal
