"""HTML of models and results, for notebooks. Class names are the user's: all are escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...charts import confusion_chart, loss_chart
from ...charts.confusion import CONFUSION_CAPTION, cell_color

if TYPE_CHECKING:
    from .records import Evaluation, History

__all__ = ["evaluation_html", "history_html", "model_html"]

_MAX_ROWS = 30
_TABLE = "border-collapse: collapse; margin: .5em 0"
_CELL = "padding: .2em .6em; text-align: right; border: none"


def history_html(history: History) -> str:
    """Return the counts of a training, and the loss curve."""
    text = (
        f"{_count(len(history.epochs), 'epoch')}, {_count(history.steps, 'step')}, "
        f"{_count(history.samples, 'sample')}"
    )
    if history.stopped:
        text += "; stopped before the last epoch"
    lines = [text, *map(html.escape, history.warnings)]
    text = "".join(f"<div>{line}</div>" for line in lines)
    return f"{text}{loss_chart([epoch.loss for epoch in history.epochs]).svg()}"


def evaluation_html(evaluation: Evaluation) -> str:
    """Return the metrics of an evaluation, with one table or chart for its classes."""
    if evaluation.absolute_error:
        errors = {name: _number(each) for name, each in evaluation.absolute_error.items()}
        text = f"<div>{_count(evaluation.samples, 'sample')}, loss {evaluation.loss:.3f}</div>"
        return text + _two_columns("mean absolute error", errors)
    name = "Accuracy" if len(evaluation.confusion) else "Accuracy over all labels"
    text = (
        f"<div>{name} <b>{_percent(evaluation.accuracy)}</b> on "
        f"{_count(evaluation.samples, 'sample')}, loss {evaluation.loss:.3f}</div>"
    )
    if not len(evaluation.confusion):
        accuracies = {name: _percent(each) for name, each in evaluation.per_class.items()}
        return text + _two_columns("accuracy", accuracies)
    if len(evaluation.labels) > _MAX_ROWS:
        return text + confusion_chart(evaluation.labels, evaluation.confusion.tolist()).svg()
    return text + _confusion_table(evaluation)


def model_html(
    path: str,
    capacity: int,
    samples: Mapping[str, int],
    thumbnails: Mapping[str, Sequence[bytes]],
    history: History | None,
) -> str:
    """Return a summary of a model: its classes, their samples, and the last training.

    Args:
        path: path of the model file.
        capacity: largest number of classes.
        samples: class name → number of samples.
        thumbnails: class name → PNG files of some samples; may lack classes.
        history: history of the last training, or None.
    """
    text = f"<div><b>PersonalModel</b> {html.escape(path)}: {len(samples)} of {capacity} classes"
    text += f", {_count(sum(samples.values()), 'sample')}</div>"
    first = list(samples.items())[:_MAX_ROWS]
    rows = [_class_row(name, count, thumbnails.get(name, ())) for name, count in first]
    if len(samples) > len(first):
        rows.append(_row([f"and {len(samples) - len(first)} more", ""]))
    table = f'<table style="{_TABLE}">{_row(["class", "samples"], "th")}{"".join(rows)}</table>'
    training = history_html(history) if history is not None else ""
    return text + (table if samples else "") + training


def _confusion_table(evaluation: Evaluation) -> str:
    rows = (
        "<tr>"
        + _cell(label, "th")
        + "".join(_count_cell(counts, j, correct=i == j) for j in range(len(counts)))
        + _cell(_percent(evaluation.per_class[label]))
        + "</tr>"
        for i, (label, counts) in enumerate(
            zip(evaluation.labels, evaluation.confusion.tolist(), strict=True)
        )
    )
    header = _row(["", *evaluation.labels, "recall"], "th")
    caption = f"<caption>{CONFUSION_CAPTION}</caption>"
    return f'<table style="{_TABLE}">{caption}{header}{"".join(rows)}</table>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _two_columns(title: str, values: Mapping[str, str]) -> str:
    rows = (_row([name, value]) for name, value in values.items())
    return f'<table style="{_TABLE}">{_row(["", title], "th")}{"".join(rows)}</table>'


def _class_row(name: str, count: int, thumbnails: Sequence[bytes]) -> str:
    images = "".join(
        f'<img alt="" src="data:image/png;base64,{base64.b64encode(each).decode()}">'
        for each in thumbnails
    )
    cell = f"<td>{images}</td>" if images else ""
    return f"<tr>{_cell(name)}{_cell(str(count))}{cell}</tr>"


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return f"<tr>{''.join(_cell(each, tag) for each in cells)}</tr>"


def _cell(text: str, tag: str = "td", style: str = "") -> str:
    return f'<{tag} style="{_CELL}{style}">{html.escape(text)}</{tag}>'


def _count_cell(counts: Sequence[int], index: int, *, correct: bool) -> str:
    """Return a cell of the confusion matrix, colored by its fraction of the row."""
    fraction = counts[index] / sum(counts) if counts[index] else 0.0
    ink = "#fff" if fraction > 0.5 else "#1f2937"
    style = f"; background: {cell_color(fraction, correct=correct)}; color: {ink}"
    return _cell(str(counts[index]) if counts[index] else "", style=style)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %"
