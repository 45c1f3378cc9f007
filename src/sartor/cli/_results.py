"""Results of trainings and evaluations, as tables and as JSON, for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from .report import percent, print_confusion, print_table

if TYPE_CHECKING:
    from ..runtime import Evaluation, History

__all__ = ["describe_evaluation", "describe_training", "print_evaluation", "print_training"]


def describe_training(
    history: History, evaluation: Evaluation, seconds: float
) -> dict[str, object]:
    """Return the results of a training as JSON."""
    metrics = describe_evaluation(evaluation)
    return {
        "classes": evaluation.labels,
        "samples": history.samples,
        "epochs": len(history.epochs),
        "steps": history.steps,
        **{name: metrics[name] for name in ("loss", "accuracy", "absolute_error")},
        "expected_accuracy": history.expected_accuracy,
        "calibration_error": history.calibration_error,
        "warnings": history.warnings,
        "stopped": history.stopped,
        "depth": history.depth,
        "seconds": round(seconds, 3),
    }


def print_training(
    history: History, evaluation: Evaluation, seconds: float, *, held_out: bool
) -> None:
    """Print the results of a training.

    Args:
        history: history of the training.
        evaluation: evaluation on the validation photos, or on the training photos.
        seconds: duration of the command.
        held_out: whether there are validation photos.
    """
    _print_metrics(evaluation, "validation" if held_out else "training")
    if history.expected_accuracy is not None:
        typer.echo(
            f"expected accuracy on new photos: {percent(history.expected_accuracy)} "
            "(cross-validation)"
        )
    if history.depth == "layers":
        typer.echo("the tuned layers were trained too")
    typer.echo(f"loss {evaluation.loss:.3f}, {len(history.epochs)} epochs, {seconds:.1f} s")


def describe_evaluation(evaluation: Evaluation) -> dict[str, object]:
    """Return an evaluation as JSON.

    `confusion` is true class → predicted class → count. Metrics that the task lacks are null.
    """
    labels = evaluation.labels
    is_regression = bool(evaluation.absolute_error)
    return {
        "accuracy": None if is_regression else evaluation.accuracy,
        "absolute_error": dict(evaluation.absolute_error) if is_regression else None,
        "loss": evaluation.loss,
        "calibration_error": evaluation.calibration_error,
        "samples": evaluation.samples,
        "per_class": None if is_regression else dict(evaluation.per_class),
        "confusion": {
            label: dict(zip(labels, row, strict=True))
            for label, row in zip(labels, evaluation.confusion.tolist(), strict=True)
        }
        if len(evaluation.confusion)
        else None,
    }


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the metrics of each class, the confusion matrix and the metrics of all photos."""
    _print_metrics(evaluation, None)
    if len(evaluation.confusion):
        print_confusion(evaluation)
    accuracy = "" if evaluation.absolute_error else f"accuracy {percent(evaluation.accuracy)}, "
    photos = "1 photo" if evaluation.samples == 1 else f"{evaluation.samples} photos"
    typer.echo(f"{accuracy}loss {evaluation.loss:.3f}, {photos}")


def _print_metrics(evaluation: Evaluation, part: str | None) -> None:
    """Print the accuracy of each class or label, or the mean absolute error of each number."""
    if evaluation.absolute_error:
        name, metric = "number", "mean absolute error"
        values: dict[str, object] = {
            key: "–" if error is None else float(f"{error:.4g}")
            for key, error in evaluation.absolute_error.items()
        }
    else:
        name = "class" if len(evaluation.confusion) else "label"
        metric = "accuracy"
        values = {key: percent(fraction) for key, fraction in evaluation.per_class.items()}
    rows = [
        (label if part else f"{number} {label}", evaluation.support[label], values[label])
        for number, label in enumerate(evaluation.labels, 1)
    ]
    if part and not evaluation.absolute_error:
        rows.append(("all", evaluation.samples, percent(evaluation.accuracy)))
    title = f"{metric} on the {part} photos" if part else None
    print_table((name, "photos", metric), rows, title=title)
