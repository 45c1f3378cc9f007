"""Shapes of inputs: batches, samples without a batch axis, and the layout of images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from convert_bases import SIZE, dense, file, model, op
from convert_helpers import assert_keeps_the_contract, session_of
from recurrent_bases import lstm

import sartor
from sartor.contract.names import FEATURES, IMAGE, TENSOR
from sartor.errors import ConversionError
from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Tensor
from sartor.litert import create_interpreter
from sartor.ops import flatten, mean, mul, relu, reshape, sub, transpose

STEPS = 40


def constant(shape: tuple[int, ...], tensor: Tensor) -> Tensor:
    values = np.random.default_rng(sum(shape)).standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return tensor.graph.constant(values.astype(np.float32))


def convolution(x: Tensor, filters: int = 4) -> Tensor:
    batch, height, width, channels = x.shape
    y = x.graph.tensor("convolved", DType.FLOAT32, (batch, height - 2, width - 2, filters))
    bias = x.graph.constant(np.zeros(filters, np.float32))
    return op(
        "CONV_2D", [x, constant((filters, 3, 3, channels), x), bias], y, "Conv2DOptions",
        padding=1, strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1,
    )  # fmt: skip


def transposed_convolution(x: Tensor) -> Tensor:
    batch, height, width, channels = x.shape
    y = x.graph.tensor("larger", DType.FLOAT32, (batch, 2 * height, 2 * width, 4))
    sizes = x.graph.constant(np.array(y.shape, np.int32))
    return op(
        "TRANSPOSE_CONV", [sizes, constant((4, 3, 3, channels), x), x], y, "TransposeConvOptions",
        padding=0, strideW=2, strideH=2,
    )  # fmt: skip


def hidden(x: Tensor) -> Tensor:
    """Return a layer named `hidden`: the features."""
    y = relu(dense(flatten(x), 6))
    y.name = "hidden"
    return y


def waveform(x: Tensor) -> Tensor:
    return hidden(reshape(mul(x, 2.0), (1, STEPS)))


def upsampled_waveform(x: Tensor) -> Tensor:
    return hidden(transposed_convolution(reshape(x, (1, 1, STEPS, 1))))


def frames(x: Tensor) -> Tensor:
    return hidden(reshape(x, (10, 4)))


def image_without_batch(x: Tensor) -> Tensor:
    return hidden(convolution(reshape(x, (1, *x.shape))))


BASES: dict[str, tuple[Callable[[Tensor], Tensor], tuple[int, ...], tuple[int, ...], int]] = {
    "waveform": (waveform, (STEPS,), (1, STEPS), 6),
    "waveform with a transposed convolution": (upsampled_waveform, (STEPS,), (1, STEPS), 6),
    "waveform in frames": (frames, (STEPS,), (1, STEPS), 60),
    "image without a batch": (image_without_batch, (9, 10, 3), (1, 9, 10, 3), 6),
    "batch of four": (hidden, (4, SIZE), (1, SIZE), 6),
    "batch of four images": (lambda x: hidden(convolution(x)), (4, 9, 10, 3), (1, 9, 10, 3), 6),
    "batch with a transposed convolution": (
        lambda x: hidden(transposed_convolution(x)), (4, 9, 10, 3), (1, 9, 10, 3), 6,
    ),
    "three rows of 16 channels": (
        lambda x: hidden(convolution(x)), (1, 3, 12, 16), (1, 3, 12, 16), 6,
    ),
    "channels first": (
        lambda x: hidden(convolution(transpose(x, (0, 2, 3, 1)))),
        (1, 3, 12, 16), (1, 12, 16, 3), 6,
    ),
}  # fmt: skip
"""Name → (base, shape of its input, shape of the input of the file, number of features)."""


@pytest.mark.parametrize("name", BASES)
def test_features_are_those_of_the_base_in_its_own_shape(name: str) -> None:
    build, base_shape, shape, size = BASES[name]
    base = file(build, base_shape)
    conversion = sartor.convert(base, classes=3, features="hidden")
    (spec,) = conversion.manifest.inputs
    assert (spec.shape, conversion.manifest.features[0].shape) == (shape, (size,))
    value = np.random.default_rng(0).random(shape, np.float32)
    features = session_of(conversion).call("infer", **{spec.name: value})[FEATURES]
    samples = np.moveaxis(value, -1, 1) if name == "channels first" else value
    np.testing.assert_allclose(features, first_sample(base, samples, base_shape, size), atol=1e-5)


def first_sample(base: bytes, value: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Return the features of a base for a sample, which is the first of its batch."""
    interpreter = create_interpreter(base)
    samples = np.ones(shape, np.float32)
    samples.reshape(-1)[: value.size] = value.reshape(-1)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples)
    interpreter.invoke()
    output: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return output.reshape(-1)[np.newaxis, :size]


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("three rows of 16 channels", TENSOR), ("channels first", IMAGE),
        ("image without a batch", IMAGE), ("waveform", TENSOR),
    ],
)  # fmt: skip
def test_modality_follows_the_layout(name: str, modality: str) -> None:
    build, base_shape, _, _ = BASES[name]
    conversion = sartor.convert(file(build, base_shape), classes=3, features="hidden")
    assert conversion.manifest.inputs[0].modality == modality
    assert_keeps_the_contract(conversion)


def test_batch_of_a_recurrent_base_becomes_one() -> None:
    four, one = (sartor.convert(lstm(batch), classes=3) for batch in (4, 1))
    value = np.random.default_rng(0).standard_normal(one.manifest.inputs[0].shape)
    outputs = [
        session_of(each).call("infer", input=value.astype(np.float32)) for each in (four, one)
    ]
    np.testing.assert_array_equal(outputs[0][FEATURES], outputs[1][FEATURES])
    assert_keeps_the_contract(four)


def test_parameter_input_without_a_batch_keeps_its_values() -> None:
    graph = Graph("main")
    x, scale = graph.input("x", (1, 6)), graph.input("scale", (6,))
    content = write(model(graph, hidden(mul(x, scale))))
    conversion = sartor.convert(content, classes=3, features="hidden")
    assert [spec.shape for spec in conversion.manifest.inputs] == [(1, 6), (1, 6)]
    ones, scales = np.ones((1, 6), np.float32), np.arange(6, dtype=np.float32)[np.newaxis]
    session = session_of(conversion)
    expected = session.call("infer", x=scales, scale=ones)[FEATURES]
    np.testing.assert_array_equal(session.call("infer", x=ones, scale=scales)[FEATURES], expected)


def test_features_that_depend_on_the_other_samples_of_a_batch_are_refused() -> None:
    base = file(lambda x: hidden(sub(x, mean(x, [0], keep_dims=True))), (4, SIZE))
    with pytest.raises(ConversionError, match=r"depend on the other samples of the batch\. Exp"):
        sartor.convert(base, classes=3)


def test_free_length_of_a_waveform_is_refused() -> None:
    graph = Graph("main")
    graph.input("x", (STEPS,)).shape_signature = (-1,)
    content = write(model(graph, waveform(graph.inputs[0])))
    with pytest.raises(ConversionError, match=r"axes of variable size: \[-1\]"):
        sartor.convert(content, classes=3)
