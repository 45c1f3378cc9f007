"""What models and results look like in a notebook. Names are the user's: all are escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...charts import confusion_chart, loss_chart
from ...charts.confusion import shade

if TYPE_CHECKING:
    from .records import Evaluation, History

__all__ = ["evaluation_html", "history_html", "model_html"]

_MOST_ROWS = 30
_TABLE = "border-collapse: collapse; margin: .5em 0"
_CELL = "padding: .2em .6em; text-align: right; border: none"


def history_html(history: History) -> str:
    """The loss curve, and what was done in words."""
    words = f"{len(history.epochs)} epochs, {history.steps} steps, {history.samples} samples"
    if history.stopped:
        words += "; stopped before the last epoch was done"
    return f"<div>{words}</div>{loss_chart([epoch.loss for epoch in history.epochs]).svg()}"


def evaluation_html(measured: Evaluation) -> str:
    """Accuracy, and the confusion matrix: a table, or a picture where a table is too large."""
    loss = f"loss {measured.loss:.3f}"
    if measured.absolute_error:
        words = f"<div>{measured.samples} samples, {loss}</div>"
        errors = {name: _number(each) for name, each in measured.absolute_error.items()}
        return words + _two_columns("off by", errors)
    of = "" if len(measured.confusion) else "the labels of "
    words = (
        f"<div><b>{_percent(measured.accuracy)}</b> of {of}{measured.samples} samples right, "
        f"{loss}</div>"
    )
    labels, counts = measured.labels, measured.confusion.tolist()
    if not counts:
        parts = {name: _percent(each) for name, each in measured.per_class.items()}
        return words + _two_columns("right", parts)
    if len(labels) > _MOST_ROWS:
        return words + confusion_chart(labels, counts).svg()
    head = _row(["is … taken for", *labels, "right"], "th")
    rows = (
        "<tr>"
        + _cell(label, "th")
        + "".join(_count(row, j, right=i == j) for j in range(len(row)))
        + _cell(_percent(measured.per_class[label]))
        + "</tr>"
        for i, (label, row) in enumerate(zip(labels, counts, strict=True))
    )
    return f'{words}<table style="{_TABLE}">{head}{"".join(rows)}</table>'


def model_html(
    path: str,
    capacity: int,
    samples: Mapping[str, int],
    thumbnails: Mapping[str, Sequence[bytes]],
    history: History | None,
) -> str:
    """A model: its classes, the samples of each that it learns from, and its last training.

    Args:
        path: of its file.
        capacity: the most classes there can be.
        samples: class → how many samples.
        thumbnails: class → PNG files of some of them; empty where none are kept.
        history: of the last training.
    """
    words = f"<div><b>PersonalModel</b> {html.escape(path)}: {len(samples)} of {capacity} classes"
    words += f", {sum(samples.values())} samples</div>"
    shown = list(samples.items())[:_MOST_ROWS]
    rows = [_samples(name, count, thumbnails.get(name, ())) for name, count in shown]
    if len(samples) > len(shown):
        rows.append(_row([f"and {len(samples) - len(shown)} more", ""]))
    table = f'<table style="{_TABLE}">{_row(["class", "samples"], "th")}{"".join(rows)}</table>'
    trained = history_html(history) if history is not None else ""
    return words + (table if samples else "") + trained


def _two_columns(title: str, values: Mapping[str, str]) -> str:
    rows = (_row([name, value]) for name, value in values.items())
    return f'<table style="{_TABLE}">{_row(["", title], "th")}{"".join(rows)}</table>'


def _samples(name: str, count: int, thumbnails: Sequence[bytes]) -> str:
    pictures = "".join(
        f'<img alt="" src="data:image/png;base64,{base64.b64encode(each).decode()}">'
        for each in thumbnails
    )
    shown = f"<td>{pictures}</td>" if pictures else ""
    return f"<tr>{_cell(name)}{_cell(str(count))}{shown}</tr>"


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return f"<tr>{''.join(_cell(each, tag) for each in cells)}</tr>"


def _cell(text: str, tag: str = "td", style: str = "") -> str:
    return f'<{tag} style="{_CELL}{style}">{html.escape(text)}</{tag}>'


def _count(row: Sequence[int], index: int, *, right: bool) -> str:
    """A cell of the confusion matrix."""
    part = row[index] / sum(row) if row[index] else 0.0
    ink = "#fff" if part > 0.5 else "#1f2937"
    style = f"; background: {shade(part, right=right)}; color: {ink}"
    return _cell(str(row[index]) if row[index] else "", style=style)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.1f} %"
