"""The verifier sees each broken promise, and takes a good file for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted import (
    Edit,
    also_assigned,
    assigned,
    broken,
    given,
    graph_of,
    not_assigned,
    retold,
    seen,
    taken,
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
        base, classes=["a", "b"], capacity=4, batch=6, optimizer=SGD(momentum=0.5)
    )


def failures(content: bytes) -> dict[str, str]:
    return {check.name: check.detail for check in verify_contract(content).failures}


def test_a_good_file_passes_whatever_is_tried(made: PersonalizableModel) -> None:
    for seed in range(20):
        report = verify_contract(made.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(clip_norm=0.01), Adam(), Adam(clip_norm=0.01)])
def test_a_file_written_again_unchanged_passes(tiny_base: bytes, optimizer: SGD | Adam) -> None:
    whole = sartor.convert(tiny_base, classes=4, batch=5, optimizer=optimizer)
    assert failures(broken(whole, lambda model: None)) == {}


def scaled(factor: float) -> Callable[[Tensor, Tensor], Tensor]:
    """A step that is longer by a factor."""
    return lambda new, old: add(old, mul(sub(new, old), factor))


def ones(x: Tensor) -> Tensor:
    """Ones, that hang on `x` all the same."""
    return add(mul(x, 0.0), 1.0)


MAKES, WIPES = "set_class imprints one class", "set_class clears one class"
VIEWS = "set_class without a class changes statistics only"
SIZE = "normalization removes the scale of features"
NO_GRADIENT = "a masked class has no gradient"
INFER = "infer and evaluate return the same output"
FIRST = "an imprinted class is predicted after one sample"
RESTORE = "save returns the restored values"
RANGES = "byte ranges contain the initial values"
BAKED = "values written at the byte ranges become the initial values"

PLANTED: dict[str, tuple[Edit, set[str]]] = {
    "a gradient too steep by 2 %": (
        assigned("train", W, scaled(1.02)), {"gradient of head/weights"},
    ),
    "a gradient too flat by 2 %": (assigned("train", B, scaled(0.98)), {"gradient of head/bias"}),
    "a gradient of the wrong sign": (assigned("train", B, scaled(-1)), {"gradient of head/bias"}),
    "a parameter that is not trained": (not_assigned("train", B), {"gradient of head/bias"}),
    "a step even at rate 0": (
        assigned("train", W, lambda new, old: add(new, 0.1)),
        {
            "learning rate 0 changes no parameter", "gradient of head/weights", NO_GRADIENT,
        },
    ),
    "training on classes that are not active": (seen("train", MASK, ones), {NO_GRADIENT}),
    "evaluation of classes that are not active": (
        seen("evaluate", MASK, ones),
        {
            "a masked class has output 0", "if all classes are masked, the output is 0", INFER,
        },
    ),
    "answers with classes that are not active": (seen("infer", MASK, ones), {INFER}),
    "a loss that counts for one in training alone": (
        given("train", "loss", lambda x: mul(x, 1.01)), {"train and evaluate return the same loss"},
    ),
    "another output in training": (
        given("train", "output", lambda x: mul(x, 1.01)),
        {"train returns the output before the step"},
    ),
    "no temperature in evaluation": (
        seen("evaluate", T, ones), {"the temperature divides the logits", INFER},
    ),
    "no temperature in answers": (seen("infer", T, ones), {INFER}),
    "the square of the temperature": (
        seen("evaluate", T, square), {"the temperature divides the logits", INFER},
    ),
    "training that moves the temperature": (
        also_assigned("train", T, lambda old: mul(old, 1.1)),
        {
            "learning rate 0 changes no parameter",
            "a step changes no untrained variable",
        },
    ),
    "training that moves the mask": (
        also_assigned("train", MASK, lambda old: mul(old, 0.5)),
        {
            "learning rate 0 changes no parameter",
            "a step changes no untrained variable",
        },
    ),
    "evaluation that changes something": (
        also_assigned("evaluate", "head/gain", lambda old: add(old, 1.0)),
        {"evaluate changes no variable", "learning rate 0 changes no parameter"},
    ),
    "answers that change something": (
        also_assigned("infer", B, lambda old: add(old, 1.0)), {"infer changes no variable"},
    ),
    "features that are not those of the answer": (
        given("infer", "features", lambda x: mul(x, 1.1)), {INFER},
    ),
    "answers that are not finite": (
        given("infer", "output", lambda x: div(x, mul(x, 0.0))),
        {"infer returns finite values", INFER},
    ),
    "a class that keeps an old velocity": (
        not_assigned("set_class", VELOCITY), {MAKES, WIPES, NO_GRADIENT},
    ),
    "a class that keeps its old weights": (
        not_assigned("set_class", W), {WIPES, NO_GRADIENT, FIRST},
    ),
    "a mask that is not set": (
        not_assigned("set_class", MASK),
        {WIPES, NO_GRADIENT, "a masked class has output 0", FIRST},
    ),
    "a change beside the class": (
        assigned("set_class", VELOCITY, lambda new, old: add(new, 0.1)),
        {MAKES, WIPES, NO_GRADIENT, VIEWS},
    ),
    "a view that is not taken": (not_assigned("set_class", "head/scale"), {SIZE}),
    "a view of rows as they are": (
        assigned("set_class", "head/center", lambda new, old: add(mul(new, 0.0), 1.0)), {SIZE},
    ),
    "a class made of rows that are not there": (
        taken("set_class", "weights", lambda x: maximum(x, 1.0)),
        {"imprinting ignores rows with weight 0", "statistics ignore rows with weight 0"},
    ),
    "a class that is never wiped": (
        taken("set_class", "active", ones),
        {WIPES, NO_GRADIENT, "a masked class has output 0"},
    ),
    "a variable that restore leaves alone": (
        assigned("restore", VELOCITY, lambda new, old: add(mul(new, 0.0), old)),
        {RESTORE},
    ),
    "a variable that restore halves": (
        assigned("restore", "head/gain", lambda new, old: add(mul(new, 0.5), 0.125)),
        {RESTORE},
    ),
    "a variable that starts otherwise": (
        not_assigned("initialize", T), {"initialize resets all variables", BAKED},
    ),
    "a variable that save gets wrong": (
        given("save", B, lambda x: mul(x, 1.001)), {RESTORE, BAKED},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_broken_promise_is_named(name: str, made: PersonalizableModel) -> None:
    edit, promises = PLANTED[name]
    found = failures(broken(made, edit))
    assert set(found) == promises, found


# --- errors planted where the loss is made --------------------------------------------------------


def _sum(values: Tensor, weights: Tensor) -> Tensor:
    return reduce_sum(mul(values, weights), [0], keep_dims=True)


def _mean(values: Tensor) -> Tensor:
    return mean(values, [0], keep_dims=True)


LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], set[str]]] = {
    "a sum and no mean": (_sum, {"the loss is a weighted mean"}),
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
        {"with all weights 0 the loss ignores the labels", "a step with all weights 0 keeps variables finite"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_weighs_wrong_is_named(
    name: str, tiny_base: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, promises = LOSSES[name]
    monkeypatch.setattr(attach_loss, "weighted_mean", loss)
    assert set(failures(_made(tiny_base).content)) == promises


class Blank(SoftmaxClassifier):
    """Makes classes of nothing."""

    def imprint(self, *given: Any) -> dict[str, Tensor]:
        return {name: mul(value, 0.0) for name, value in super().imprint(*given).items()}


def test_a_class_without_an_imprint_is_named(tiny_base: bytes) -> None:
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
    given("save", name, lambda _: read.output)(model)


def input_straight_through(model: Model) -> None:
    signature = model.signature("initialize")
    assert signature is not None
    given("initialize", "done", lambda _: signature.inputs["run"])(model)


def custom_op(model: Model) -> None:
    def own(x: Tensor) -> Tensor:
        y = x.graph.tensor("y", DType.FLOAT32, x.shape)
        x.graph.add(Op("CUSTOM", (x,), (y,), custom_code="FlexSoftmax"))
        return y

    given("infer", "output", own)(model)


def sized_at_run_time(model: Model) -> None:
    def reshaped(x: Tensor) -> Tensor:
        shape = x.graph.tensor("shape", DType.INT32, (x.rank,))
        options = {"outType": 2}
        x.graph.add(Op("SHAPE", (x,), (shape,), options=options, options_type="ShapeOptions"))
        y = x.graph.tensor("y", DType.FLOAT32, x.shape)
        x.graph.add(Op("RESHAPE", (x, shape), (y,)))
        return y

    given("infer", "output", reshaped)(model)


def taken_twice(model: Model) -> None:
    seen("infer", T, lambda t: mul(t, t))(model)


def another_shape(model: Model) -> None:
    given("evaluate", "output", lambda x: reshape(x, (4, 6)))(model)


def free_size(model: Model) -> None:
    graph_of(model, "train").inputs[0].shape_signature = (-1, 16)


def unused_input(model: Model) -> None:
    graph = graph_of(model, "evaluate")
    weights = next(tensor for tensor in graph.inputs if tensor.name == "weights")
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
    "no CALL_ONCE": (without_call_once, "restore: inputs and outputs", "CALL_ONCE is not the first"),
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
        unused_input, "evaluate: inputs and outputs", "no op uses the input 'weights'",
    ),
    "an input too many": (unknown_input, "infer: inputs and outputs", "'more' is not in the contract"),
    "an int8 input": (int8_input, "infer: inputs and outputs", "INT8"),
    "an output that is not listed": (
        unlisted_output, "infer: inputs and outputs", "does not list all outputs",
    ),
    "no signature": (no_signature, "set_class: signature exists", "no such signature"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURE)
def test_a_wrong_structure_is_named_and_not_run(name: str, made: PersonalizableModel) -> None:
    edit, promise, words = STRUCTURE[name]
    report = verify_contract(broken(made, edit))
    assert [check.name for check in report.failures] == [promise]
    assert words in report.failures[0].detail
    assert not any(check.name.startswith("gradient") for check in report.checks)


def test_a_file_that_litert_cannot_run_is_no_crash_of_ours(made: PersonalizableModel) -> None:
    def edit(model: Model) -> None:
        graph = graph_of(model, "train")
        sums = next(op for op in graph.ops if op.code == "SUM")
        sums.set_inputs([sums.input(0), graph.constant(np.array([7], np.int32))])

    assert "LiteRT runs the file" in failures(broken(made, edit))


# --- the manifest ---------------------------------------------------------------------------------


def moved(name: str, by: int) -> Callable[[Manifest], Manifest]:
    """A byte range that is elsewhere."""

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
def test_a_byte_range_that_is_shifted_is_named(
    made: PersonalizableModel, tell: Callable[[Manifest], Manifest], promises: set[str]
) -> None:
    found = set(failures(retold(made, tell)))
    assert found == promises


@pytest.mark.parametrize(
    ("change", "promises"),
    [
        ({"batch": 7}, {"train", "evaluate", "set_class"}),
        ({"classes": ("a", "b", None)}, set()),
        ({"weights_per_output": True, "task": "multi_label"}, {"train", "evaluate"}),
        ({"variables": ()}, set()),
    ],
    ids=["batch", "capacity", "weights", "variables"],
)
def test_a_manifest_that_tells_another_story_is_named(
    made: PersonalizableModel, change: dict[str, object], promises: set[str]
) -> None:
    content = retold(made, lambda manifest: replace(manifest, **change))  # type: ignore[arg-type]
    if promises:
        assert set(failures(content)) == {f"{key}: inputs and outputs" for key in promises}
    else:  # it contradicts itself
        with pytest.raises(NotPersonalizableError, match=r"sartor\.json is damaged"):
            verify_contract(content)


def test_what_makes_no_claim_is_refused(tiny_base: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotPersonalizableError, match="sartor convert"):
        verify_contract(tiny_base)
    with pytest.raises(InvalidModelError):
        verify_contract(b"no model")
    with pytest.raises(InvalidModelError, match=r"missing\.tflite"):
        verify_contract(tmp_path / "missing.tflite")


def test_a_path_or_bytes_are_the_same_and_stay_as_they_are(
    made: PersonalizableModel, tmp_path: Path
) -> None:
    path = made.save(tmp_path / "made.tflite")
    assert verify_contract(path) == verify_contract(str(path)) == verify_contract(made.content)
    assert path.read_bytes() == made.content
