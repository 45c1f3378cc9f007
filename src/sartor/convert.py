"""Convert a base, a head and an optimizer into one file that can be trained on the device."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ._conversion_options import ConversionOptions, check_options
from ._feature_choices import with_choices
from ._make_plan import attach_signatures, make_plan
from ._training_depths import choose_depth
from .bases import Base, load_base
from .contract.manifest import FeatureSpec
from .errors import ConversionError, FeatureError, SartorError
from .flatbuffer import append_files, write, write_with_places
from .graph import Graph, Model
from .heads import FineTune, Head
from .litert import ENDED, read_model, start_worker, try_model
from .optimizers import Optimizer
from .passes import (
    Plan,
    PreparedBase,
    build_manifest,
    choose_normalization,
    compute_fingerprints,
    describe_model,
    plain_classifier,
    prepare_base,
    propose_layers,
    tune_layers,
)
from .personalizable_model import PersonalizableModel

if TYPE_CHECKING:
    from .quantization import QuantizedBase, RepresentativeSamples

__all__ = ["PersonalizableModel", "convert"]


def convert(
    base: Base | str | os.PathLike[str] | bytes,
    *,
    classes: int | Sequence[str],
    head: Head | FineTune | None = None,
    optimizer: Optimizer | None = None,
    features: str | Sequence[str] | None = None,
    capacity: int | None = None,
    batch_size: int = 32,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    preprocessing: str | None = None,
    normalize: bool | None = None,
    quantize: str = "none",
    representative: RepresentativeSamples | None = None,
) -> PersonalizableModel:
    """Convert a base into a file that can be trained on the device, in stock LiteRT.

    Args:
        base: path or bytes of a `.tflite` file, path of a Keras model or of a SavedModel, or one
            of `sartor.bases`. A personalizable file can be converted again, with another capacity
            or optimizer: the result still loads the checkpoints of the first file. Class names
            are not taken over.
        classes: class names, or the number of classes.
        head: trainable part; `FineTune` trains the last layers of the base too. Default:
            `SoftmaxClassifier()`.
        optimizer: update rule. Default: `SGD(momentum=0.9)`, and `Adam()` with `FineTune`.
        features: name of the tensor (or tensors) to cut the base at; for a Keras model, also of
            the layer. `mean:NAME` is the mean of a tensor over its positions, such as height and
            width. `tensor:INDEX` names a tensor by its index in the file. Default: the input of
            the last layer with weights (docs/bases.md).
        capacity: largest number of classes, if `classes` lists names. Default: the number of
            names.
        batch_size: rows of one training step, 1 to 65536. Missing rows get weight 0.
        mean: mean of the image scaling `(pixel − mean) / std` with pixels 0…255, one value or one
            per channel. Default: from the metadata of the base.
        std: standard deviation of the image scaling, as `mean`.
        preprocessing: name of an image scaling, instead of `mean` and `std`: `"0..1"`, `"-1..1"`,
            `"0..255"`, `"imagenet"` (torchvision) or `"caffe"` (BGR, minus the mean).
        normalize: power-normalize the features: the signed square root of each value, then unit
            length (Perronnin et al., 2010), which makes few samples more accurate on most bases.
            Default: True for a classification with 64 features or more from one tensor that the
            base computes. A Keras, PyTorch or `.tflite` head gets the features as they are; so does
            a base that is a personalizable file, which keeps its features.
        quantize: `"none"`, or the quantization of a float base: `"dynamic"` (int8 weights),
            `"float16"` (float16 weights) or `"full-integer"`. The head stays float32. Needs the
            extra `quantize`.
        representative: representative samples, to calibrate `full-integer` and to measure the
            loss of any mode: a folder of images (with a subfolder per class, few-shot accuracy is
            measured too), an array [N, …], or an iterable of samples.

    Returns:
        The file in memory; `save` writes it.

    Raises:
        InvalidModelError: If the file of the base is damaged.
        FeatureError: If the features are not clear, or the base cannot be cut there. Its attribute
            `choices` lists features that convert.
        ConversionError: If an argument is invalid, the parts do not fit together, or LiteRT cannot
            run the result, which another process tries.
    """
    start_worker()  # it loads LiteRT while this process converts
    options = check_options(
        classes=classes, head=head, optimizer=optimizer, features=features, capacity=capacity,
        batch_size=batch_size, mean=mean, std=std, preprocessing=preprocessing, normalize=normalize,
        quantize=quantize, representative=representative,
    )  # fmt: skip
    try:
        return _convert(base, options)
    except FeatureError as error:
        attempt = partial(_try_features, base, options)
        raise with_choices(error, load_base(base), attempt, named=options.features) from None


def _try_features(
    base: Base | str | os.PathLike[str] | bytes, options: ConversionOptions, names: tuple[str, ...]
) -> PersonalizableModel:
    """Convert with other features, without quantization and the check of the scaling."""
    return _convert(base, replace(options, features=names, quantize=None, test_scaling=False))


def _convert(
    base: Base | str | os.PathLike[str] | bytes, options: ConversionOptions
) -> PersonalizableModel:
    model = load_base(base, features=options.features)
    prepared = prepare_base(
        model, options.features, options.scaling, test_scaling=options.test_scaling
    )
    normalize = choose_normalization(prepared, options.fine_tune or options.head, options.normalize)
    quantized = _quantize(prepared, options)
    fine_tune, reason = _choose_layers(prepared, options)
    head = options.head
    if fine_tune is not None:
        head, normalize = tune_layers(prepared, fine_tune, normalize=normalize), False
    prepared.cut_reason += reason
    plan = make_plan(prepared, options, head, normalize=normalize)
    attach_signatures(plan, prepared.graph)
    describe_model(plan, prepared.metadata)
    result = _write(plan, prepared)
    _check_runs(result.content)
    if quantized is None:
        return result
    classifier = partial(_feature_classifier, plan.features)
    return replace(
        result, quantization=quantized.report(result.content, classifier, normalize=normalize)
    )


def _choose_layers(
    prepared: PreparedBase, options: ConversionOptions
) -> tuple[FineTune | None, str]:
    """Return the layers to train, or None for the head alone, and what the user should know."""
    fine_tune = options.fine_tune
    if fine_tune is None:
        return None, ""
    if fine_tune.memory_budget is None:
        last = fine_tune.last
        return fine_tune, propose_layers(prepared.graph, last) if last is not None else ""
    last, reason = choose_depth(prepared, options, fine_tune.memory_budget)
    chosen = replace(fine_tune, last=last, memory_budget=None) if last else None
    return chosen, f"; {reason}"


def _quantize(prepared: PreparedBase, options: ConversionOptions) -> QuantizedBase | None:
    """Quantize the base in place; return None if no mode is given."""
    if options.quantize is None:
        return None
    from .quantization import quantize_base  # loads the LiteRT interpreter

    error = try_model(write(prepared.model))
    if error is not None:
        raise ConversionError(f"LiteRT cannot run the base: {error}")

    quantized = quantize_base(
        prepared.model, prepared.inputs, options.quantize, options.representative
    )
    prepared.graph, prepared.inputs = quantized.graph, quantized.inputs
    prepared.features = ()  # the quantization parameters of the previous file no longer apply
    return quantized


def _write(plan: Plan, prepared: PreparedBase) -> PersonalizableModel:
    """Write the flatbuffer, then append the manifest and the other files."""
    files, plan.model.files = plan.model.files, {}
    file = write_with_places(plan.model, plain_classifier(plan))
    manifest = build_manifest(plan, compute_fingerprints(plan), file)
    content = append_files(file.content, {**files, **manifest.files()})
    return PersonalizableModel(content, manifest, prepared.cut_reason, tuple(prepared.notes))


def _check_runs(content: bytes) -> None:
    """Raise FeatureError unless LiteRT runs every signature of the result.

    After a crash or a hang it is a ConversionError, so that no other features are tried.
    """
    try:
        read_model(content)  # what it refuses cannot be opened
    except SartorError as error:
        raise FeatureError(f"the result cannot be opened: {error}") from error
    message = try_model(content)
    if message is None:
        return
    reason = f"LiteRT cannot run the result: {message}"
    if message.startswith(ENDED):
        raise ConversionError(
            f"{reason}. Run the base itself in LiteRT; if it runs, choose other features "
            "(features=, --features)"
        )
    raise FeatureError(reason)


def _feature_classifier(features: Sequence[FeatureSpec], classes: Sequence[str]) -> bytes:
    """Return a personalizable file of a softmax classifier whose inputs are the features."""
    model, graph = Model(), Graph("features")
    model.graphs.append(graph)
    names = [graph.input(spec.name, (1, *spec.shape)).name for spec in features]
    graph.outputs = list(graph.inputs)
    return convert(write(model), classes=classes, features=names).content
