"""The head and the optimizer that the options of `sartor convert` describe."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from ._parse import parse_bytes, parse_integers

if TYPE_CHECKING:
    from ..heads import FineTune, Head
    from ..optimizers import Optimizer

__all__ = ["add_layers", "create_head", "create_optimizer"]

_HEAD_FILES = (".tflite", ".keras", ".h5")


def create_head(name: str, *, hidden: str | None, huber: float | None, **options: Any) -> Head:
    """Create a head.

    Args:
        name: name of a head, or path of a head file.
        hidden: value of `--hidden`.
        huber: value of `--huber`.
        options: other options of heads; None if not given.
    """
    from .. import heads
    from ..losses import Huber, SoftmaxCrossEntropy

    if Path(name).suffix in _HEAD_FILES:
        return _create_from_file(name, {**options, "hidden": hidden, "huber": huber})
    head_type = _choose(
        "--head",
        {
            "softmax": heads.SoftmaxClassifier,
            "cosine": heads.CosineClassifier,
            "mlp": heads.MLP,
            "multi-label": heads.MultiLabelClassifier,
            "regression": heads.Regressor,
        },
        name,
        ", or a file: head.tflite or head.keras",
    )
    arguments = {key: value for key, value in options.items() if value is not None}
    if hidden is not None:
        arguments["hidden"] = parse_integers("--hidden", hidden)
    if huber is not None:
        if name != "regression":
            raise _not_an_option("huber", name)
        arguments["loss"] = Huber(huber)
    if name == "mlp" and "label_smoothing" in arguments:
        arguments["loss"] = SoftmaxCrossEntropy(arguments.pop("label_smoothing"))
    return cast("Head", _create(name, head_type, arguments))


def add_layers(
    head: Head,
    *,
    fine_tune: int | None,
    tensors: str | None,
    memory_budget: str | None,
    biases_only: bool,
    lora_rank: int | None,
    layer_rate: float | None,
) -> Head | FineTune:
    """Return the head, with layers of the base if an option asks for them.

    Args:
        head: head on top of the layers.
        fine_tune: value of `--fine-tune`; None if not given.
        tensors: value of `--fine-tune-tensors`; None if not given.
        memory_budget: value of `--memory-budget`; None if not given.
        biases_only: value of `--biases-only`.
        lora_rank: value of `--lora-rank`; None if not given.
        layer_rate: value of `--layer-rate`; None if not given.
    """
    from ..heads import FineTune

    choices = {
        "--fine-tune": fine_tune,
        "--fine-tune-tensors": tensors,
        "--memory-budget": memory_budget,
    }
    given = [name for name, value in choices.items() if value is not None]
    if len(given) > 1:
        raise typer.BadParameter(f"leave {given[0]} out", param_hint=given[1])
    if given:
        return FineTune(
            fine_tune,
            head,
            biases_only=biases_only,
            lora_rank=lora_rank,
            rate=1.0 if layer_rate is None else layer_rate,
            memory_budget=parse_bytes("--memory-budget", memory_budget),
            tensors=tensors,
        )
    for name, is_set in (
        ("--biases-only", biases_only),
        ("--lora-rank", lora_rank is not None),
        ("--layer-rate", layer_rate is not None),
    ):
        if is_set:
            raise typer.BadParameter(
                "needs the number of layers to train: add --fine-tune 1", param_hint=name
            )
    return head


def create_optimizer(name: str, **options: Any) -> Optimizer:
    """Create an optimizer.

    Args:
        name: name of an optimizer.
        options: options of optimizers; None if not given.
    """
    from ..optimizers import OPTIMIZERS

    optimizer_type = _choose("--optimizer", OPTIMIZERS, name)
    arguments = {key: value for key, value in options.items() if value is not None}
    if name == "sgd":
        arguments = {"momentum": 0.9, **arguments}
    return cast("Optimizer", _create(name, optimizer_type, arguments))


def _create_from_file(path: str, options: dict[str, Any]) -> Head:
    from .. import heads

    for key, value in options.items():
        if value is not None:
            raise _not_an_option(key, path)
    return heads.TFLite(path) if path.endswith(".tflite") else heads.Keras(path)


def _choose(option: str, types: dict[str, Any], name: str, more: str = "") -> Any:
    if name not in types:
        *first, last = types
        raise typer.BadParameter(
            f"expected {', '.join(first)} or {last}{more}; got {name!r}", param_hint=option
        )
    return types[name]


def _create(name: str, component_type: Any, arguments: dict[str, Any]) -> object:
    """Create a dataclass; refuse an option that is not one of its fields."""
    for key in arguments.keys() - {field.name for field in fields(component_type)}:
        raise _not_an_option(key, name)
    return component_type(**arguments)


def _not_an_option(key: str, name: str) -> typer.BadParameter:
    return typer.BadParameter(
        f"{name} has no such option: leave it out", param_hint=f"--{key.replace('_', '-')}"
    )
