"""From a base, a head and an optimizer to one file that trains itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ._files import write_atomically
from ._version import __version__
from .bases import Base, load_base
from .contract.digest import model_digest
from .contract.manifest import (
    FeatureSpec,
    Fingerprints,
    HeadSpec,
    LossSpec,
    Manifest,
    OptimizerSpec,
    VariableSpec,
)
from .contract.names import MANIFEST_FILE
from .errors import ConversionError
from .flatbuffer import append_files, write, write_with_ranges
from .graph import DType, Graph, Model
from .heads import GraphHead, Head, SoftmaxClassifier
from .modalities.image.conventions import convention
from .optimizers import DEFAULT_OPTIMIZER, Optimizer
from .passes import (
    Plan,
    attach_evaluate,
    attach_head,
    attach_set_class,
    attach_state,
    attach_train,
    check_parts,
    cut,
    fingerprints,
    open_features,
    open_inputs,
    part_reads,
    rebatch,
    simplify,
)
from .passes.describe import describe_inputs, input_metadata, rewrite_metadata
from .passes.images.layout import orient
from .passes.images.quantized_inputs import scale_quantized_pictures
from .passes.images.scaling_check import check_scaling

if TYPE_CHECKING:
    from .quantization import QuantizationReport, RepresentativeSamples

__all__ = ["PersonalizableModel", "convert"]

_MOST_CLASSES = 100_000


@dataclass(frozen=True)
class PersonalizableModel:
    """A file that extracts features, trains, evaluates, infers, and saves and restores itself.

    Attributes:
        content: the bytes of the `.tflite` file.
        manifest: what it says of itself.
        cut: where the base was cut and why, for people.
        notes: what the user should know.
        quantization: what quantizing the base saves and loses; None where it was not asked for.
    """

    content: bytes
    manifest: Manifest
    cut: str
    notes: tuple[str, ...] = ()
    quantization: QuantizationReport | None = None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file, whole or not at all, and return its path.

        Raises:
            OSError: the folder is not there, not writable, or the disk is full; a file that was
                there before is left as it was.
        """
        return write_atomically(Path(path), self.content)

    def __repr__(self) -> str:
        size = f"{len(self.content):,} bytes"
        return f"<PersonalizableModel: {size}, room for {self.manifest.capacity} classes>"


def convert(
    base: Base | str | os.PathLike[str] | bytes,
    *,
    classes: int | Sequence[str],
    head: Head | None = None,
    optimizer: Optimizer | None = None,
    features: str | Sequence[str] | None = None,
    capacity: int | None = None,
    batch: int = 32,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    preprocessing: str | None = None,
    quantize: str = "none",
    representative: RepresentativeSamples | None = None,
) -> PersonalizableModel:
    """Make a base learn on the device: one file that trains in stock LiteRT.

    Args:
        base: the path or bytes of a `.tflite` file, the path of a Keras model or of a SavedModel,
            or one of `sartor.bases`. A personalizable file is taken apart again: converted anew,
            with more room or another optimizer, it still loads the user's checkpoint (the names of
            its classes are not taken over).
        classes: the names of the classes, or how many there can be.
        head: what learns; `SoftmaxClassifier()` unless told.
        optimizer: how; SGD with momentum unless told.
        features: the tensor (or tensors) to cut the base at, of a Keras model the layer; found by
            itself unless told.
        capacity: how many classes there can be, where names are given; as many unless told.
        batch: the rows of one training step; shorter batches are filled up with weight 0.
        mean: with `std`, what a float base expects of a picture: `(pixel − mean) / std` of pixels
            0…255, one value or one a channel; read from the file's metadata unless told.
        std: see `mean`.
        preprocessing: the same by its name: `"0..1"`, `"-1..1"`, `"0..255"`, `"imagenet"` (as
            torchvision scales) or `"caffe"` (blue before red, less the mean). Unless it is told, a
            note says so where the scale makes no sense to the first layer.
        quantize: `"none"`, or what a float base becomes: `"dynamic"` (int8 weights), `"float16"`
            (float16 weights) or `"full-integer"`. The head stays float. Needs the extra `quantize`.
        representative: what the base will see, to calibrate `full-integer` and to measure what any
            mode loses: a folder of pictures (in folders of their classes, few-shot accuracy is
            measured too), an array with a row a sample, or samples one after another.

    Returns:
        The file in memory; `save` writes it.

    Raises:
        InvalidModelError: the base's file is damaged.
        ConversionError: the parts do not fit together; the message says what to do.
    """
    head, optimizer = head or SoftmaxClassifier(), optimizer or DEFAULT_OPTIMIZER
    check_parts(head, optimizer)
    slots = _slots(classes, capacity, head.outputs if isinstance(head, GraphHead) else None)
    if not 1 <= batch <= 65536:
        raise ConversionError(f"batch must be between 1 and 65536, got {batch}")
    model = load_base(base, features=_names(features) or ())
    before, known = _manifest_of(model), input_metadata(model)
    same = [spec.name for spec in before.features] if before else []
    names = _names(features) or same
    found = cut(model, names)
    described = [known.get(tensor) for tensor in found.graph.inputs]
    rebatch(found.graph)
    open_inputs(found.graph, named=before is not None)
    told = convention(preprocessing, mean, std)
    if before is not None and told is not None and told.bgr:
        raise ConversionError(
            f"{preprocessing!r} takes blue before red, which is built into the file when the base "
            "is converted: convert the base itself again"
        )
    if before is None:
        orient(found.graph, described, bgr=told is not None and told.bgr)
    scale_quantized_pictures(found.graph, described, told)
    inputs, notes = describe_inputs(found.graph, described, before, told)
    if preprocessing is None and (before is None or told is not None):
        notes = check_scaling(found.graph, inputs) or notes
    notes += _notes_on_state(found.graph)
    graph, smaller = found.graph, None
    if quantize == "none" and representative is not None:
        raise ConversionError(
            "representative samples are for quantization: say which, as quantize='full-integer'"
        )
    if quantize != "none":
        from .quantization import quantize_base  # loads the runtime

        smaller = quantize_base(model, inputs, quantize, representative)
        graph, inputs = smaller.graph, smaller.inputs
    specs = open_features(graph, flat=head.flat)
    if before and names == same and smaller is None:
        specs = [
            replace(old, shape=new.shape) for old, new in zip(before.features, specs, strict=True)
        ]
    plan = Plan(model, head, optimizer, batch, slots, inputs, specs)
    base_ends = list(graph.outputs)
    attach_head(plan, graph)
    attach_evaluate(plan)
    attach_train(plan)
    attach_set_class(plan)
    attach_state(plan)
    model.graphs.append(plan.initializer)
    marks = fingerprints(plan, base_ends)
    for signature in model.signatures:
        if signature.key != "infer":
            simplify(signature.graph)
        part_reads(signature.graph)
    rewrite_metadata(plan, described)
    made = _write(plan, marks, found.why, notes)
    if smaller is None:
        return made
    report = smaller.report(made.content, partial(_learner, specs))
    return replace(made, quantization=report)


def _learner(specs: Sequence[FeatureSpec], classes: Sequence[str]) -> bytes:
    """A personalizable file of a softmax classifier whose inputs are the features."""
    model, graph = Model(), Graph("features")
    model.graphs.append(graph)
    names = [graph.input(spec.name, (1, *spec.shape)).name for spec in specs]
    graph.outputs = list(graph.inputs)
    return convert(write(model), classes=classes, features=names).content


def _slots(
    classes: int | Sequence[str], capacity: int | None, outputs: int | None
) -> tuple[str | None, ...]:
    """The C slots, named from the first on; as many as the head has outputs, where it knows."""
    if isinstance(classes, int):
        names, size = [], classes
        if capacity not in (None, classes):
            raise ConversionError(
                f"classes={classes} and capacity={capacity} contradict each other"
            )
    else:
        names = _class_names(classes)
        size = next(n for n in (capacity, outputs, len(names)) if n is not None)
    if not max(1, len(names)) <= size <= _MOST_CLASSES:
        raise ConversionError(
            f"there must be room for 1 to {_MOST_CLASSES:,} classes, and for those that are named; "
            f"got {len(names)} names and room for {size}"
        )
    return (*names, *[None] * (size - len(names)))


def _class_names(classes: Sequence[str]) -> list[str]:
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes):
        raise ConversionError(
            f"classes must be a number or a list of names, as ['cup', 'key']; got {classes!r}"
        )
    names = [" ".join(name.split()) for name in classes]  # each is a line of labels.txt
    if not all(names) or len(set(names)) != len(names):
        raise ConversionError(f"class names must differ and not be empty, got {names}")
    return names


def _notes_on_state(graph: Graph) -> list[str]:
    """What to say where the base itself remembers earlier inputs."""
    if not any(tensor.is_variable or tensor.dtype is DType.RESOURCE for tensor in graph.tensors):
        return []
    return [
        "the base keeps state of its own: what it makes of a sample may depend on those before, "
        "and checkpoints do not hold that state"
    ]


def _names(features: str | Sequence[str] | None) -> list[str] | None:
    return [features] if isinstance(features, str) else list(features or ()) or None


def _manifest_of(model: Model) -> Manifest | None:
    """What a personalizable base says of itself, or None where it is a plain one."""
    text = model.files.get(MANIFEST_FILE)
    return None if text is None else Manifest.from_json(text)


def _write(plan: Plan, marks: Fingerprints, why: str, notes: Sequence[str]) -> PersonalizableModel:
    """Number everything, describe it, and write it down."""
    files, plan.model.files = plan.model.files, {}
    content, ranges = write_with_ranges(plan.model)
    variables = tuple(
        VariableSpec(v.name, v.shape, v.role, v.class_axis, v.parameter, ranges[v.initial][0])
        for v in plan.variables.values()
    )
    loss, optimizer = plan.head.loss, plan.optimizer
    manifest = Manifest(
        inputs=tuple(plan.inputs),
        features=tuple(plan.features),
        batch=plan.batch,
        classes=plan.classes,
        task=loss.task,
        weights_per_output=loss.weights_per_output,
        head=HeadSpec(plan.head.name, plan.head.settings(), plan.head.feature_norm),
        loss=LossSpec(loss.name, loss.settings(), loss.curvature),
        optimizer=OptimizerSpec(
            optimizer.name, optimizer.settings(), optimizer.step, optimizer.clip_norm
        ),
        learning_rate=optimizer.learning_rate,
        variables=variables,
        fingerprints=marks,
        generator=f"sartor {__version__}",
        digest=model_digest(content, variables),
    )
    content = append_files(content, {**files, **manifest.files()})
    return PersonalizableModel(content, manifest, why, tuple(notes))
