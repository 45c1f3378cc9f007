"""`sartor convert`: make a personalizable file from a base."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._outputs import MODEL, check_output
from ._base import base_labels, find, list_choices, show_conversion
from ._components import add_layers, create_head, create_optimizer
from ._options import Force, OutputFile
from ._parse import parse_classes, parse_numbers
from .quantization import print_quantization
from .report import Json, note, print_json, shorten

if TYPE_CHECKING:
    from ..convert import PersonalizableModel

__all__ = ["convert"]


def convert(
    context: typer.Context,
    base: Annotated[
        str,
        typer.Argument(
            help="Base: a .tflite file, a Keras model (.keras, .h5), the folder of a SavedModel, "
            "a PyTorch program (.pt2), or `starter`: EfficientNet-Lite0, which Sartor builds.",
            metavar="BASE",
        ),
    ],
    output: OutputFile,
    classes: Annotated[str, typer.Option(help="Number of classes, or their names: hat,shoes,…")],
    capacity: Annotated[
        int | None, typer.Option(help="Capacity, if --classes gives names: the most classes.")
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(
            help="Tensor (or Keras layer) that becomes the features; mean:NAME averages its "
            "positions (repeatable)."
        ),
    ] = None,
    signature: Annotated[
        str | None, typer.Option(help="Signature of a SavedModel or .tflite that has several.")
    ] = None,
    input_shape: Annotated[
        list[str] | None,
        typer.Option(
            help="Shape of one sample, if the base leaves it open or takes others: 96,96,3; "
            "for several inputs NAME=96,96,3 (repeatable)."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Number of samples per training step.")] = 32,
    mean: Annotated[
        str | None, typer.Option(help="The base gets (pixel − mean) / std: one number, or r,g,b.")
    ] = None,
    std: Annotated[str | None, typer.Option(help="See --mean.")] = None,
    preprocessing: Annotated[
        str | None,
        typer.Option(help="Mean and std by name: 0..1, -1..1, 0..255, imagenet or caffe."),
    ] = None,
    quantize: Annotated[
        str,
        typer.Option(help="Quantization of a float base: none, dynamic, float16, full-integer."),
    ] = "none",
    representative: Annotated[
        Path | None,
        typer.Option(help="Folder of images that calibrate the quantization and measure its loss."),
    ] = None,
    head: Annotated[
        str,
        typer.Option(
            help="Head: softmax, cosine, mlp, multi-label or regression; or a file, head.tflite "
            "or head.keras."
        ),
    ] = "softmax",
    hidden: Annotated[
        str | None, typer.Option(help="mlp: units of each hidden layer: 64 or 128,64.")
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="mlp: dropout rate of the hidden layers.")
    ] = None,
    huber: Annotated[
        float | None, typer.Option(help="regression: delta of the Huber loss.")
    ] = None,
    normalize: Annotated[
        bool | None,
        typer.Option(
            "--normalize/--no-normalize",
            help="Power-normalize the features. Default: chosen from them.",
            show_default=False,
        ),
    ] = None,
    fine_tune: Annotated[
        int | None,
        typer.Option(help="Number of the last layers of the base to train too, with the head."),
    ] = None,
    fine_tune_tensors: Annotated[
        str | None,
        typer.Option(
            help="Regular expression: train the weights and biases whose names it matches, "
            "LAYER/weights and LAYER/bias.",
            metavar="REGEX",
        ),
    ] = None,
    memory_budget: Annotated[
        str | None,
        typer.Option(
            help="Memory that training may take, such as 64MB: train as many of the last layers "
            "as fit."
        ),
    ] = None,
    lora_rank: Annotated[
        int | None,
        typer.Option(help="Train low-rank updates of this rank in place of their weights (LoRA)."),
    ] = None,
    biases_only: Annotated[
        bool, typer.Option("--biases-only", help="Train only the biases of these layers.")
    ] = False,
    layer_rate: Annotated[
        float | None,
        typer.Option(help="Learning rate of these layers, relative to that of the head, 0 to 1."),
    ] = None,
    scale: Annotated[float | None, typer.Option(help="cosine: largest logit.")] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Head: label smoothing, 0 to 1.")
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="Optimizer: sgd, adam, adamw or rmsprop. Default: sgd; adam with --fine-tune."
        ),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate. Default: chosen from the samples.")
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(help="sgd (default: 0.9), rmsprop: momentum.")
    ] = None,
    nesterov: Annotated[bool, typer.Option("--nesterov", help="sgd: Nesterov momentum.")] = False,
    weight_decay: Annotated[
        float | None, typer.Option(help="Weight decay. Default: chosen from the samples.")
    ] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Largest norm of a gradient.")] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make a personalizable file from a base."""
    check_output(output, MODEL, inputs=(base,), force=force)
    from ..convert import convert as convert_base
    from ..heads import FineTune

    trained = add_layers(
        create_head(
            head, scale=scale, label_smoothing=label_smoothing, dropout=dropout,
            hidden=hidden, huber=huber,
        ),
        fine_tune=fine_tune, tensors=fine_tune_tensors, memory_budget=memory_budget,
        biases_only=biases_only, lora_rank=lora_rank, layer_rate=layer_rate,
    )  # fmt: skip
    source = find(base, signature, input_shape)
    with show_conversion(source, base), list_choices(context.find_root().obj):
        model = convert_base(
            source,
            classes=parse_classes(classes, capacity, head),
            head=trained,
            optimizer=create_optimizer(
                optimizer or ("adam" if isinstance(trained, FineTune) else "sgd"),
                learning_rate=learning_rate, momentum=momentum,
                nesterov=nesterov or None, weight_decay=weight_decay, clip_norm=clip_norm,
            ),
            features=features or None,
            capacity=capacity,
            batch_size=batch_size,
            mean=parse_numbers("--mean", mean),
            std=parse_numbers("--std", std),
            preprocessing=preprocessing,
            normalize=normalize,
            quantize=quantize,
            representative=representative,
        )  # fmt: skip
    model.save(output, force=force)
    if as_json:
        print_json(_describe(model, base, output))
    else:
        _print(model, base, output)


def _size(base: str) -> int | None:
    """Return the size of a base in bytes; None if it is not a file."""
    path = Path(base)
    return path.stat().st_size if path.is_file() else None


def _describe(model: PersonalizableModel, base: str, output: Path) -> dict[str, object]:
    manifest = model.manifest
    return {
        "file": str(output),
        "bytes": len(model.content),
        "base_bytes": _size(base),
        "classes": manifest.classes,
        "capacity": manifest.capacity,
        "batch_size": manifest.batch_size,
        "inputs": [asdict(spec) for spec in manifest.inputs],
        "features": [asdict(spec) for spec in manifest.features],
        "cut": model.cut,
        "head": asdict(manifest.head),
        "optimizer": asdict(manifest.optimizer),
        "fingerprints": asdict(manifest.fingerprints),
        "notes": model.notes,
        "quantization": None if model.quantization is None else asdict(model.quantization),
    }


def _print(model: PersonalizableModel, base: str, output: Path) -> None:
    manifest = model.manifest
    names = [name for name in manifest.classes if name is not None]
    shapes = ", ".join("x".join(map(str, spec.shape)) for spec in manifest.features)
    for message in model.notes:
        note(message)
    labels = base_labels(base)
    size = _size(base)
    suffix = f" ({size:,} bytes)" if size is not None else ""
    typer.echo(f"{output}: {len(model.content):,} bytes")
    typer.echo(f"base:     {base}{suffix}")
    if labels:
        typer.echo(f"          trained on {shorten(labels)}")
    typer.echo(f"capacity: {manifest.capacity} classes")
    if names:
        typer.echo(f"classes:  {', '.join(names)}")
    typer.echo(f"features: {shapes}; {model.cut}")
    if model.quantization is not None:
        print_quantization(model.quantization)
    source = "LABELS.csv" if manifest.task == "regression" else "PHOTOS"
    typer.echo(f"next:     sartor fit {shlex.quote(str(output))} {source}")
