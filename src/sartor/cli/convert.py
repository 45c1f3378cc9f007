"""`sartor convert`: from any .tflite to one that learns."""

from __future__ import annotations

import shlex
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ._base import find, while_it_converts
from .quantization import print_quantization
from .report import Json, check_folder, note, print_json

if TYPE_CHECKING:
    from ..convert import PersonalizableModel
    from ..heads import Head
    from ..optimizers import Optimizer

__all__ = ["convert"]

_HEAD_FILES = (".tflite", ".keras", ".h5")


def convert(
    base: Annotated[
        str,
        typer.Argument(
            help="Any .tflite; a Keras model (.keras, .h5), the folder of a SavedModel, a program "
            "of PyTorch (.pt2); or `starter`: EfficientNet-Lite0, which comes with Sartor.",
            metavar="BASE",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write.")],
    classes: Annotated[
        str, typer.Option(help="How many classes there can be, or their names: hat,shoes,…")
    ],
    capacity: Annotated[
        int | None, typer.Option(help="How many there can be, where --classes names some.")
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(help="Cut the base at this tensor, or layer of a Keras model (repeatable)."),
    ] = None,
    signature: Annotated[
        str | None, typer.Option(help="Of a SavedModel that has several: which one.")
    ] = None,
    input_shape: Annotated[
        list[str] | None,
        typer.Option(
            help="Of one sample, where a Keras model or SavedModel leaves it open: 96,96,3, or "
            "NAME=96,96,3 for each of several inputs."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help="Samples of one training step.")] = 32,
    mean: Annotated[
        str | None, typer.Option(help="(pixel − mean) / std is fed: one number, or r,g,b.")
    ] = None,
    std: Annotated[str | None, typer.Option(help="See --mean.")] = None,
    preprocessing: Annotated[
        str | None, typer.Option(help="The same by name: 0..1, -1..1, 0..255, imagenet or caffe.")
    ] = None,
    quantize: Annotated[
        str, typer.Option(help="Of a float base: none, dynamic, float16 or full-integer.")
    ] = "none",
    representative: Annotated[
        Path | None,
        typer.Option(help="Folder of pictures to calibrate on, and to measure what is lost."),
    ] = None,
    head: Annotated[
        str,
        typer.Option(
            help="softmax, cosine, mlp, multi-label or regression; or a head of your own, a file: "
            "head.tflite or head.keras."
        ),
    ] = "softmax",
    hidden: Annotated[
        str | None, typer.Option(help="mlp: units of each hidden layer, as 64 or 128,64.")
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="mlp: part of the hidden units that a step leaves out.")
    ] = None,
    huber: Annotated[
        float | None,
        typer.Option(help="regression: errors beyond this count in proportion, not squared."),
    ] = None,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="Head: bring features to one length first.")
    ] = False,
    scale: Annotated[float | None, typer.Option(help="Head: that length.")] = None,
    l2: Annotated[float | None, typer.Option(help="Head: penalty on the weights.")] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Head: part of a label that goes to all classes.")
    ] = None,
    optimizer: Annotated[str, typer.Option(help="sgd, adam, adamw or rmsprop.")] = "sgd",
    learning_rate: Annotated[
        float | None, typer.Option(help="Default of the file; else found from the samples.")
    ] = None,
    momentum: Annotated[float | None, typer.Option(help="sgd (0.9 unless told), rmsprop.")] = None,
    nesterov: Annotated[bool, typer.Option("--nesterov", help="sgd: look ahead.")] = False,
    weight_decay: Annotated[float | None, typer.Option(help="sgd, adamw: pull to 0.")] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Greatest norm of a gradient.")] = None,
    as_json: Json = False,
) -> None:
    """Make a model that learns, of the one that you have or one that comes with Sartor."""
    _refuse_same(base, output)
    check_folder(output)
    from ..convert import convert as convert_base

    found = find(base, signature, input_shape)
    with while_it_converts(found, base):
        model = convert_base(
            found,
            classes=_classes(classes),
            head=_head(
                head, normalize=normalize or None, scale=scale, l2=l2,
                label_smoothing=label_smoothing, dropout=dropout, hidden=hidden, huber=huber,
            ),
            optimizer=_optimizer(
                optimizer, learning_rate=learning_rate, momentum=momentum,
                nesterov=nesterov or None, weight_decay=weight_decay, clip_norm=clip_norm,
            ),
            features=features or None,
            capacity=capacity,
            batch=batch,
            mean=_numbers("--mean", mean),
            std=_numbers("--std", std),
            preprocessing=preprocessing,
            quantize=quantize,
            representative=representative,
        )  # fmt: skip
    model.save(output)
    if as_json:
        print_json(_described(model, base, output))
    else:
        _print(model, base, output)


def _refuse_same(base: str, output: Path) -> None:
    if Path(base).exists() and output.exists() and output.samefile(base):
        raise typer.BadParameter("it would overwrite the base", param_hint="--output")


def _classes(text: str) -> int | list[str]:
    return int(text) if text.strip().isdecimal() else text.split(",")


def _numbers(option: str, text: str | None) -> list[float] | None:
    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"numbers, please; got {text!r}", param_hint=option) from None


def _head(name: str, *, hidden: str | None, huber: float | None, **settings: Any) -> Head:
    from .. import heads
    from ..losses import Huber, SoftmaxCrossEntropy

    kinds: dict[str, Any] = {
        "softmax": heads.SoftmaxClassifier,
        "cosine": heads.CosineClassifier,
        "mlp": heads.MLP,
        "multi-label": heads.MultiLabelClassifier,
        "regression": heads.Regressor,
    }
    if Path(name).suffix in _HEAD_FILES:
        return _head_of_file(name, {**settings, "hidden": hidden, "huber": huber})
    kind = _known("--head", kinds, name, "; or a file, as head.tflite or head.keras")
    given = {key: value for key, value in settings.items() if value is not None}
    if hidden is not None:
        given["hidden"] = _sizes("--hidden", hidden)
    if huber is not None:
        _refuse_other("huber", name, "regression")
        given["loss"] = Huber(huber)
    if name == "mlp" and "label_smoothing" in given:
        given["loss"] = SoftmaxCrossEntropy(given.pop("label_smoothing"))
    return cast("Head", _made(name, kind, given))


def _head_of_file(name: str, settings: dict[str, Any]) -> Head:
    """A head of the user's own, which has no settings but those in the file."""
    from .. import heads

    for key, value in settings.items():
        if value is not None:
            _refuse_other(key, name)
    return heads.TFLite(name) if name.endswith(".tflite") else heads.Keras(name)


def _optimizer(name: str, **settings: Any) -> Optimizer:
    from .. import optimizers

    kind = _known("--optimizer", dict(optimizers.OPTIMIZERS), name)
    given = {key: value for key, value in settings.items() if value is not None}
    default = optimizers.DEFAULT_OPTIMIZER
    defaults = asdict(default) if default.name == name else {}
    return cast("Optimizer", _made(name, kind, given, defaults))


def _known(option: str, kinds: dict[str, Any], name: str, more: str = "") -> Any:
    if name not in kinds:
        *first, last = kinds
        choice = f"{', '.join(first)} or {last}"
        raise typer.BadParameter(f"{choice}{more}; got {name!r}", param_hint=option)
    return kinds[name]


def _made(
    name: str, kind: Any, given: dict[str, Any], unless_told: dict[str, Any] | None = None
) -> object:
    """An instance of a dataclass; a setting that it does not have is refused by its option."""
    for key in given.keys() - {field.name for field in fields(kind)}:
        _refuse_other(key, name)
    return kind(**((unless_told or {}) | given))


def _refuse_other(key: str, name: str, wanted: str | None = None) -> None:
    if name != wanted:
        option = f"--{key.replace('_', '-')}"
        raise typer.BadParameter(f"{name} has no such setting", param_hint=option)


def _sizes(option: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"whole numbers, please; got {text!r}", param_hint=option
        ) from None


def _size(base: str) -> int | None:
    """The bytes of a base that is a file."""
    path = Path(base)
    return path.stat().st_size if path.is_file() else None


def _described(model: PersonalizableModel, base: str, output: Path) -> dict[str, object]:
    manifest = model.manifest
    return {
        "file": str(output),
        "bytes": len(model.content),
        "base_bytes": _size(base),
        "classes": manifest.classes,
        "capacity": manifest.capacity,
        "batch": manifest.batch,
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
    named = [name for name in manifest.classes if name is not None]
    shapes = ", ".join("x".join(map(str, spec.shape)) for spec in manifest.features)
    for message in model.notes:
        note(message)
    before = _size(base)
    of = f"a base of {before:,}" if before is not None else f"the base {base!r}"
    typer.echo(f"{output}: {len(model.content):,} bytes, of {of}")
    typer.echo(f"classes:  room for {manifest.capacity}" + (f": {', '.join(named)}" * bool(named)))
    typer.echo(f"features: {shapes}; {model.cut}")
    if model.quantization is not None:
        print_quantization(model.quantization)
    follows = f"sartor fit {shlex.quote(str(output))} FOLDER --checkpoint MINE.safetensors"
    if manifest.task != "classification":
        follows = f"any LiteRT can train it; `sartor fit` does not do {manifest.task} yet"
    typer.echo(f"next:     {follows}")
