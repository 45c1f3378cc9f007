"""The verifier detects each planted defect and passes correct files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from defects import (
    Edit,
    add_assignment,
    change_assignment,
    change_input,
    change_output,
    change_variable,
    edit_graphs,
    edit_manifest,
    graph_of,
    skip_assignment,
)

import sartor
from sartor import PersonalizableModel
from sartor.contract.manifest import Manifest
from sartor.errors import InvalidModelError, NotPersonalizableError
from sartor.graph import DType, Model, Op, Tensor
from sartor.heads import SoftmaxClassifier
from sartor.ops import add, div, maximum, mean, mul, neg, reduce_sum, reshape, square, sub
from sartor.optimizers import SGD, Adam
from sartor.passes import attach_loss
from sartor.testing.verify import verify_contract

W, B, T = "head/weights", "head/bias", "temperature"
MASK, VELOCITY = "class_mask", "optimizer/momentum/head/weights"


@pytest.fixture(scope="module")
def made(tiny_base: bytes) -> PersonalizableModel:
    return _made(tiny_base)


def _made(base: bytes) -> PersonalizableModel:
    return sartor.convert(
        base, classes=["a", "b"], capacity=4, batch_size=6, optimizer=SGD(momentum=0.5)
    )


def failures(content: bytes) -> dict[str, str]:
    return {check.name: check.detail for check in verify_contract(content).failures}


def test_a_correct_file_passes_with_any_seed(made: PersonalizableModel) -> None:
    for seed in range(20):
        report = verify_contract(made.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(clip_norm=0.01), Adam(), Adam(clip_norm=0.01)])
def test_a_rewritten_file_passes(tiny_base: bytes, optimizer: SGD | Adam) -> None:
    whole = sartor.convert(tiny_base, classes=4, batch_size=5, optimizer=optimizer)
    assert failures(edit_graphs(whole, lambda model: None)) == {}


def scaled(factor: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Scale a step by a factor."""
    return lambda new, old: add(old, mul(sub(new, old), factor))


def ones(x: Tensor) -> Tensor:
    """Return ones that depend on `x`."""
    return add(mul(x, 0.0), 1.0)


IMPRINTS, CLEARS = "set_class imprints one class", "set_class clears one class"
STATISTICS = "set_class without a class changes statistics only"
SIZE = "normalization removes the scale of features"
NO_GRADIENT = "a masked class has no gradient"
INFER = "infer and evaluate return the same output"
FIRST = "an imprinted class is predicted after one sample"
RESTORE = "save returns the restored values"
RANGES = "byte ranges contain the initial values"
BAKED = "values written at the byte ranges become the initial values"

DEFECTS: dict[str, tuple[Edit, set[str]]] = {
    "a gradient too steep by 2 %": (
        change_assignment("train", W, scaled(1.02)),
        {"gradient of head/weights"},
    ),
    "a gradient too flat by 2 %": (
        change_assignment("train", B, scaled(0.98)),
        {"gradient of head/bias"},
    ),
    "a gradient of the wrong sign": (
        change_assignment("train", B, scaled(-1)),
        {"gradient of head/bias"},
    ),
    "a parameter that is not trained": (skip_assignment("train", B), {"gradient of head/bias"}),
    "a step with learning rate 0": (
        change_assignment("train", W, lambda new, old: add(new, 0.1)),
        {
            "learning rate 0 changes no parameter",
            "gradient of head/weights",
            NO_GRADIENT,
        },
    ),
    "training on masked classes": (change_variable("train", MASK, ones), {NO_GRADIENT}),
    "evaluation of masked classes": (
        change_variable("evaluate", MASK, ones),
        {
            "a masked class has output 0",
            "if all classes are masked, the output is 0",
            INFER,
        },
    ),
    "inference with masked classes": (change_variable("infer", MASK, ones), {INFER}),
    "another loss in training": (
        change_output("train", "loss", lambda x: mul(x, 1.01)),
        {"train and evaluate return the same loss"},
    ),
    "another output in training": (
        change_output("train", "output", lambda x: mul(x, 1.01)),
        {"train returns the output before the step"},
    ),
    "no temperature in evaluation": (
        change_variable("evaluate", T, ones),
        {"the temperature divides the logits", INFER},
    ),
    "no temperature in inference": (change_variable("infer", T, ones), {INFER}),
    "the square of the temperature": (
        change_variable("evaluate", T, square),
        {"the temperature divides the logits", INFER},
    ),
    "training that changes the temperature": (
        add_assignment("train", T, lambda old: mul(old, 1.1)),
        {
            "learning rate 0 changes no parameter",
            "a step changes no untrained variable",
        },
    ),
    "training that changes the mask": (
        add_assignment("train", MASK, lambda old: mul(old, 0.5)),
        {
            "learning rate 0 changes no parameter",
            "a step changes no untrained variable",
        },
    ),
    "evaluation that changes a variable": (
        add_assignment("evaluate", "head/gain", lambda old: add(old, 1.0)),
        {"evaluate changes no variable", "learning rate 0 changes no parameter"},
    ),
    "inference that changes a variable": (
        add_assignment("infer", B, lambda old: add(old, 1.0)),
        {"infer changes no variable"},
    ),
    "features that do not belong to the output": (
        change_output("infer", "features", lambda x: mul(x, 1.1)),
        {INFER},
    ),
    "outputs that are not finite": (
        change_output("infer", "output", lambda x: div(x, mul(x, 0.0))),
        {"infer returns finite values", INFER},
    ),
    "a class with old optimizer state": (
        skip_assignment("set_class", VELOCITY),
        {IMPRINTS, CLEARS, NO_GRADIENT},
    ),
    "a class with old weights": (
        skip_assignment("set_class", W),
        {CLEARS, NO_GRADIENT, FIRST},
    ),
    "a mask that is not set": (
        skip_assignment("set_class", MASK),
        {CLEARS, NO_GRADIENT, "a masked class has output 0", FIRST},
    ),
    "a change outside the class": (
        change_assignment("set_class", VELOCITY, lambda new, old: add(new, 0.1)),
        {IMPRINTS, CLEARS, NO_GRADIENT, STATISTICS},
    ),
    "statistics that are not updated": (skip_assignment("set_class", "head/scale"), {SIZE}),
    "a center that ignores the rows": (
        change_assignment("set_class", "head/center", lambda new, old: add(mul(new, 0.0), 1.0)),
        {SIZE},
    ),
    "a class imprinted from rows with weight 0": (
        change_input("set_class", "sample_weights", lambda x: maximum(x, 1.0)),
        {"imprinting ignores rows with weight 0", "statistics ignore rows with weight 0"},
    ),
    "a class that is never cleared": (
        change_input("set_class", "active", ones),
        {CLEARS, NO_GRADIENT, "a masked class has output 0"},
    ),
    "a variable that restore does not set": (
        change_assignment("restore", VELOCITY, lambda new, old: add(mul(new, 0.0), old)),
        {RESTORE},
    ),
    "a variable that restore halves": (
        change_assignment("restore", "head/gain", lambda new, old: add(mul(new, 0.5), 0.125)),
        {RESTORE},
    ),
    "a variable with another initial value": (
        skip_assignment("initialize", T),
        {"initialize resets all variables", BAKED},
    ),
    "a variable that save changes": (
        change_output("save", B, lambda x: mul(x, 1.001)),
        {RESTORE, BAKED},
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_fails_its_checks(name: str, made: PersonalizableModel) -> None:
    edit, promises = DEFECTS[name]
    found = failures(edit_graphs(made, edit))
    assert set(found) == promises, found


# --- errors planted where the loss is made --------------------------------------------------------


def _sum(values: Tensor, weights: Tensor) -> Tensor:
    return reduce_sum(mul(values, weights), [0], keep_dims=True)


def _mean(values: Tensor) -> Tensor:
    return mean(values, [0], keep_dims=True)


LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], set[str]]] = {
    "a sum instead of a mean": (_sum, {"the loss is a weighted mean"}),
    "a mean over all rows": (
        lambda values, weights: div(_sum(values, weights), 6.0), {"the loss is a weighted mean"},
    ),
    "weights squared": (
        lambda values, weights: div(
            _sum(values, mul(weights, weights)), maximum(_sum(weights, weights), 1e-6)
        ),
        {"the loss is a weighted mean"},
    ),
    "weights left out": (
        lambda values, weights: add(_mean(values), mul(_sum(weights, weights), 0.0)),
        {
            "rows with weight 0 do not change the loss",
            "with all weights 0 the loss ignores the labels",
        },
    ),
    "no weight at all": (
        lambda values, weights: div(_sum(values, weights), mul(_mean(weights), 6.0)),
        {
            "with all weights 0 the loss ignores the labels",
            "a step with all weights 0 keeps variables finite",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_wrongly_weighted_loss_fails(
    name: str, tiny_base: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, promises = LOSSES[name]
    monkeypatch.setattr(attach_loss, "weighted_mean", loss)
    assert set(failures(_made(tiny_base).content)) == promises


class Blank(SoftmaxClassifier):
    """Imprints zeros."""

    def imprint(self, *given: Any) -> dict[str, Tensor]:
        return {name: mul(value, 0.0) for name, value in super().imprint(*given).items()}


def test_a_class_without_imprinted_weights_fails(tiny_base: bytes) -> None:
    made = sartor.convert(tiny_base, classes=4, head=Blank())
    assert set(failures(made.content)) == {FIRST}


# --- the file's structure -------------------------------------------------------------------------


def without_call_once(model: Model) -> None:
    graph = graph_of(model, "restore")
    graph.remove([op for op in graph.ops if op.code == "CALL_ONCE"])


def call_once_later(model: Model) -> None:
    graph = graph_of(model, "train")
    graph.ops.append(graph.ops.pop(0))


def straight_from_the_variable(model: Model) -> None:
    signature = model.signature("save")
    assert signature is not None
    read = next(op for op in signature.graph.ops if op.code == "READ_VARIABLE")
    name = next(n for n, t in signature.outputs.items() if read.output in t.producer.inputs)  # type: ignore[union-attr]
    change_output("save", name, lambda _: read.output)(model)


def input_straight_through(model: Model) -> None:
    signature = model.signature("initialize")
    assert signature is not None
    change_output("initialize", "done", lambda _: signature.inputs["run"])(model)


def custom_op(model: Model) -> None:
    def own(x: Tensor) -> Tensor:
        y = x.graph.tensor("y", DType.FLOAT32, x.shape)
        x.graph.add(Op("CUSTOM", (x,), (y,), custom_code="FlexSoftmax"))
        return y

    change_output("infer", "output", own)(model)


def sized_at_run_time(model: Model) -> None:
    def reshaped(x: Tensor) -> Tensor:
        shape = x.graph.tensor("shape", DType.INT32, (x.rank,))
        options = {"outType": 2}
        x.graph.add(Op("SHAPE", (x,), (shape,), options=options, options_type="ShapeOptions"))
        y = x.graph.tensor("y", DType.FLOAT32, x.shape)
        x.graph.add(Op("RESHAPE", (x, shape), (y,)))
        return y

    change_output("infer", "output", reshaped)(model)


def taken_twice(model: Model) -> None:
    change_variable("infer", T, lambda t: mul(t, t))(model)


def another_shape(model: Model) -> None:
    change_output("evaluate", "output", lambda x: reshape(x, (4, 6)))(model)


def free_size(model: Model) -> None:
    graph_of(model, "train").inputs[0].shape_signature = (-1, 16)


def unused_input(model: Model) -> None:
    graph = graph_of(model, "evaluate")
    weights = next(tensor for tensor in graph.inputs if tensor.name == "sample_weights")
    for op in list(weights.consumers):
        op.replace_input(weights, graph.constant(np.ones(weights.shape, np.float32)))


def unknown_input(model: Model) -> None:
    signature = model.signature("infer")
    assert signature is not None
    signature.inputs["more"] = more = signature.graph.input("more", (1,))
    neg(more)


def int8_input(model: Model) -> None:
    signature = model.signature("infer")
    assert signature is not None
    graph, old = signature.graph, signature.inputs["input"]
    new = graph.tensor("input", DType.INT8, old.shape)
    graph.inputs = [new]
    signature.inputs["input"] = new
    graph.ops.insert(1, Op("CAST", (new,), (old,)))


def unlisted_output(model: Model) -> None:
    signature = model.signature("infer")
    assert signature is not None
    signature.graph.outputs.append(signature.graph.ops[-1].input(0))


def no_signature(model: Model) -> None:
    model.signatures = [each for each in model.signatures if each.key != "set_class"]


STRUCTURE: dict[str, tuple[Edit, str, str]] = {
    "no CALL_ONCE": (
        without_call_once, "restore: inputs and outputs", "CALL_ONCE is not the first",
    ),
    "CALL_ONCE later": (call_once_later, "train: inputs and outputs", "CALL_ONCE is not the first"),
    "a variable as an output": (
        straight_from_the_variable, "save: inputs and outputs", "an op must compute it",
    ),
    "an input as an output": (
        input_straight_through, "initialize: inputs and outputs", "an op must compute it",
    ),
    "a custom op": (custom_op, "builtin ops only", "FlexSoftmax"),
    "an output sized at run time": (
        sized_at_run_time, "infer: inputs and outputs", "known only at run time",
    ),
    "a variable that one op takes twice": (
        taken_twice, "infer: inputs and outputs", "crashes XNNPACK",
    ),
    "another shape": (
        another_shape, "evaluate: inputs and outputs", "expected float32 [6, 4]",
    ),
    "a free size": (free_size, "train: inputs and outputs", "LiteRT.js does not support"),
    "an unused input": (
        unused_input, "evaluate: inputs and outputs", "no op uses the input 'sample_weights'",
    ),
    "an unknown input": (
        unknown_input, "infer: inputs and outputs", "'more' is not in the contract",
    ),
    "an int8 input": (int8_input, "infer: inputs and outputs", "INT8"),
    "an output that is not listed": (
        unlisted_output, "infer: inputs and outputs", "does not list all outputs",
    ),
    "no signature": (no_signature, "set_class: signature exists", "no such signature"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURE)
def test_a_wrong_structure_fails_and_is_not_run(name: str, made: PersonalizableModel) -> None:
    edit, promise, words = STRUCTURE[name]
    report = verify_contract(edit_graphs(made, edit))
    assert [check.name for check in report.failures] == [promise]
    assert words in report.failures[0].detail
    assert not any(check.name.startswith("gradient") for check in report.checks)


def test_a_file_that_litert_cannot_run_fails_without_a_crash(made: PersonalizableModel) -> None:
    def edit(model: Model) -> None:
        graph = graph_of(model, "train")
        sums = next(op for op in graph.ops if op.code == "SUM")
        sums.set_inputs([sums.input(0), graph.constant(np.array([7], np.int32))])

    assert "LiteRT runs the file" in failures(edit_graphs(made, edit))


# --- the manifest ---------------------------------------------------------------------------------


def moved(name: str, by: int) -> Callable[[Manifest], Manifest]:
    """Shift a byte range."""

    def tell(manifest: Manifest) -> Manifest:
        variables = tuple(
            replace(spec, offset=spec.offset + by) if spec.name == name else spec
            for spec in manifest.variables
        )
        return replace(manifest, variables=variables)

    return tell


@pytest.mark.parametrize(
    ("tell", "promises"),
    [
        (moved(MASK, 4), {RANGES}),
        (moved(T, -4), {RANGES}),
        (moved(W, 4), {BAKED}),  # zeros are zeros four bytes on
        (moved(B, 10**9), {RANGES}),
    ],
    ids=["the mask, a value late", "the temperature, early", "the weights", "outside the file"],
)
def test_a_shifted_byte_range_fails(
    made: PersonalizableModel, tell: Callable[[Manifest], Manifest], promises: set[str]
) -> None:
    found = set(failures(edit_manifest(made, tell)))
    assert found == promises


@pytest.mark.parametrize(
    ("change", "promises"),
    [
        ({"batch_size": 7}, {"train", "evaluate", "set_class"}),
        ({"classes": ("a", "b", None)}, set()),
        ({"weights_per_output": True, "task": "multi_label"}, {"train", "evaluate"}),
        ({"variables": ()}, set()),
    ],
    ids=["batch", "capacity", "weights", "variables"],
)
def test_a_manifest_that_differs_from_the_file_fails(
    made: PersonalizableModel, change: dict[str, object], promises: set[str]
) -> None:
    content = edit_manifest(made, lambda manifest: replace(manifest, **change))  # type: ignore[arg-type]
    if promises:
        assert set(failures(content)) == {f"{key}: inputs and outputs" for key in promises}
    else:  # it contradicts itself
        with pytest.raises(NotPersonalizableError, match=r"sartor\.json is damaged"):
            verify_contract(content)


def test_files_without_a_manifest_are_refused(tiny_base: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotPersonalizableError, match="sartor convert"):
        verify_contract(tiny_base)
    with pytest.raises(InvalidModelError):
        verify_contract(b"no model")
    with pytest.raises(InvalidModelError, match=r"missing\.tflite"):
        verify_contract(tmp_path / "missing.tflite")


def test_paths_and_bytes_give_equal_reports(made: PersonalizableModel, tmp_path: Path) -> None:
    path = made.save(tmp_path / "made.tflite")
    assert verify_contract(path) == verify_contract(str(path)) == verify_contract(made.content)
    assert path.read_bytes() == made.content
