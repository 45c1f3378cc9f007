"""Real models convert, fulfill the contract and train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from convert_helpers import (
    accuracy_after,
    assert_keeps_the_contract,
    compiled,
    session_of,
    some_inputs,
)

import sartor
from sartor.contract.names import FEATURES, INPUT, OUTPUT
from sartor.flatbuffer import read
from sartor.heads import MLP, SoftmaxClassifier
from sartor.optimizers import SGD, Adam, Optimizer
from sartor.passes import cut

HEADS = {
    "raw": SoftmaxClassifier(),
    "smoothed": SoftmaxClassifier(label_smoothing=0.1),
}
OPTIMIZERS: dict[str, tuple[Optimizer, float]] = {
    "sgd": (SGD(), 1.0),
    "nesterov": (SGD(momentum=0.9, nesterov=True, weight_decay=1e-4, clip_norm=5.0), 0.1),
    "adam": (Adam(clip_norm=1.0), 0.05),
}
NO_DELEGATE = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_real_model_fulfills_the_contract_and_trains(
    real_model: Path, head: str, optimizer: str
) -> None:
    rule, rate = OPTIMIZERS[optimizer]
    conversion = sartor.convert(real_model, classes=5, head=HEADS[head], optimizer=rule)
    assert_keeps_the_contract(conversion)
    size = int(np.prod(conversion.manifest.features[0].shape))
    rate *= 4 / size if head == "raw" and optimizer != "adam" else 1
    assert accuracy_after(session_of(conversion), steps=60, rate=rate) > 0.99


def test_features_equal_the_tensor_at_the_cut(real_model: Path) -> None:
    conversion = sartor.convert(real_model, classes=3, normalize=False)
    (spec,) = conversion.manifest.features
    (sample,) = some_inputs(conversion).values()
    expected = tensor_at_cut(real_model, sample)
    interpreter = Interpreter(
        model_content=conversion.content, experimental_op_resolver_type=NO_DELEGATE
    )
    actual = interpreter.get_signature_runner("infer")(**{INPUT: sample})[FEATURES]
    if spec.scale is None:
        np.testing.assert_array_equal(actual.reshape(-1), expected.reshape(-1))
    else:  # the integers are equal; DEQUANTIZE rounds to float32
        largest = float(np.abs(expected).max())
        np.testing.assert_allclose(actual.reshape(-1), expected.reshape(-1), atol=1e-6 * largest)


def tensor_at_cut(path: Path, sample: np.ndarray) -> np.ndarray:
    """Return the tensor at the cut of the original base, dequantized."""
    base = Interpreter(
        model_path=str(path),
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=NO_DELEGATE,
    )
    base.allocate_tensors()
    (detail,) = base.get_input_details()
    if detail["dtype"] == np.int8 and sample.dtype == np.uint8:  # an image is fed as uint8
        sample = (sample.astype(np.int16) - 128).astype(np.int8)
    elif detail["dtype"] != sample.dtype:  # other quantized inputs are fed as real numbers
        scale, zero = detail["quantization"]
        limits = np.iinfo(detail["dtype"])
        integers = np.clip(np.round(sample / scale) + zero, limits.min, limits.max)
        sample = integers.astype(detail["dtype"])
    base.set_tensor(detail["index"], sample)
    base.invoke()
    (tensor,) = cut(read(path)).tensors
    (index,) = [d["index"] for d in base.get_tensor_details() if d["name"] == tensor.name]
    value: np.ndarray = base.get_tensor(index)
    if tensor.quantization is None or tensor.quantization.per_tensor is None:
        return value
    scale, zero = tensor.quantization.per_tensor
    return np.asarray(np.float32(scale) * (value.astype(np.int32) - zero), np.float32)


@pytest.mark.parametrize(
    ("head", "optimizer", "batch_size"),
    [("raw", "nesterov", 1), ("smoothed", "adam", 7)],
    ids=["one row", "smoothed, Adam"],
)
def test_compiled_model_computes_the_same_steps(
    real_model: Path, head: str, optimizer: str, batch_size: int
) -> None:
    rule, rate = OPTIMIZERS[optimizer]
    conversion = sartor.convert(
        real_model, classes=3, head=HEADS[head], optimizer=rule, batch_size=batch_size
    )
    session, other = session_of(conversion), compiled(conversion.content)
    rng = np.random.default_rng(9)
    state, samples = session.random_variables(rng), session.random_batch(rng)
    session.restore(state)
    other("restore", state)
    samples["learning_rate"] = np.array([rate / 10], np.float32)
    for _ in range(3):
        expected, actual = session.call("train", **samples), other("train", samples)
        np.testing.assert_allclose(actual["loss"], expected["loss"], atol=1e-5)
    other_variables = other("save", {"run": np.ones(1, np.float32)})
    for name, value in session.save().items():
        np.testing.assert_allclose(other_variables[name], value, atol=1e-5, err_msg=name)
    inputs = some_inputs(conversion)
    expected, actual = session.call("infer", **inputs), other("infer", inputs)
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("head", HEADS)
def test_infer_applies_the_head_to_the_features(real_model: Path, head: str) -> None:
    conversion = sartor.convert(real_model, classes=4, head=HEADS[head])
    session, rng = session_of(conversion), np.random.default_rng(1)
    state = session.random_variables(rng)
    state["class_mask"] = np.array([1, 0, 1, 1], np.float32)
    state["temperature"] = np.array([1.5], np.float32)
    session.restore(state)
    result = session.call("infer", **some_inputs(conversion))
    x = result[FEATURES].astype(np.float64)
    logits = (x @ state["head/weights"].T + state["head/bias"]) / 1.5
    odds = np.exp(logits - logits.max()) * state["class_mask"]
    np.testing.assert_allclose(result[OUTPUT], odds / odds.sum(), atol=1e-6)


def test_conversion_is_deterministic_and_does_not_change_the_base(
    real_model: Path, tmp_path: Path
) -> None:
    before = real_model.read_bytes()
    first = sartor.convert(real_model, classes=["cup", "key"], capacity=6)
    second = sartor.convert(before, classes=["cup", "key"], capacity=6)
    assert first.content == second.content
    assert first.save(tmp_path / "conversion.tflite").read_bytes() == first.content
    assert real_model.read_bytes() == before


def test_second_conversion_loads_the_checkpoint_of_the_first(real_model: Path) -> None:
    first = sartor.convert(real_model, classes=["cup", "key"], optimizer=SGD(momentum=0.9))
    second = sartor.convert(first.content, classes=9, optimizer=Adam(), batch_size=7)
    before_fingerprints, after_fingerprints = (
        first.manifest.fingerprints,
        second.manifest.fingerprints,
    )
    assert (before_fingerprints.base, before_fingerprints.head) == (
        after_fingerprints.base,
        after_fingerprints.head,
    )
    assert before_fingerprints.optimizer != after_fingerprints.optimizer
    assert first.manifest.inputs == second.manifest.inputs
    assert first.manifest.features == second.manifest.features
    assert_keeps_the_contract(second)
    old, new = session_of(first), session_of(second)
    variables = old.random_variables(np.random.default_rng(2))
    old.restore(variables)
    state = new.save()
    for name in ("head/weights", "head/bias", "class_mask"):
        state[name][:2] = variables[name]
    new.restore(state)
    inputs = some_inputs(first)
    before, after = old.call("infer", **inputs), new.call("infer", **inputs)
    np.testing.assert_array_equal(after[FEATURES], before[FEATURES])
    np.testing.assert_allclose(after[OUTPUT][:, :2], before[OUTPUT], atol=1e-6)
    assert not after[OUTPUT][:, 2:].any()


@pytest.mark.parametrize(
    ("change", "unchanged"),
    [
        ({"optimizer": SGD(momentum=0.5, nesterov=True, weight_decay=1.0)}, "base head optimizer"),
        ({"optimizer": SGD()}, "base head"),
        ({"capacity": 30, "batch_size": 8}, "base head optimizer"),
        ({"head": SoftmaxClassifier(label_smoothing=0.2)}, "base head optimizer"),
        ({"head": MLP()}, "base optimizer"),
        ({"normalize": False}, "head optimizer"),
    ],
    ids=["settings", "optimizer", "capacity", "loss", "head", "features"],
)
def test_fingerprints_change_only_with_their_part(
    real_model: Path, change: dict[str, object], unchanged: str
) -> None:
    arguments: dict[str, object] = {"classes": ["a", "b"]}
    fingerprints = [
        sartor.convert(real_model, **options).manifest.fingerprints  # type: ignore[arg-type]
        for options in (arguments, {**arguments, **change})
    ]
    equal = [
        n
        for n in ("base", "head", "optimizer")
        if getattr(fingerprints[0], n) == getattr(fingerprints[1], n)
    ]
    assert " ".join(equal) == unchanged


def test_each_dtype_of_a_base_has_its_own_fingerprint(shared_models: Path) -> None:
    fingerprints = [
        sartor.convert(path, classes=2).manifest.fingerprints.base
        for path in sorted(shared_models.glob("*.tflite"))
    ]
    assert len(set(fingerprints)) == len(fingerprints)


def test_head_adds_little_besides_its_weights(real_model: Path) -> None:
    conversion = sartor.convert(real_model, classes=4)
    weights = sum(4 * int(np.prod(spec.shape)) for spec in conversion.manifest.variables)
    assert len(conversion.content) - real_model.stat().st_size - weights < 22_000
