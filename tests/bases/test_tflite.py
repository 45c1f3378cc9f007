"""Options of `.tflite` bases: the input shape and the signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor.bases import TFLite
from sartor.errors import ConversionError
from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op, Signature, Tensor
from sartor.ops import fully_connected, mean, relu, reshape, softmax
from sartor.testing import verify_contract


def dense(x: Tensor, units: int, name: str) -> Tensor:
    weights = np.random.default_rng(units).standard_normal((units, x.shape[-1]))
    y = fully_connected(x, weights.astype(np.float32), np.zeros(units, np.float32))
    y.name = name
    return y


def convolution(x: Tensor, channels: int) -> Tensor:
    graph, (batch, height, width, depth) = x.graph, x.shape
    filters = np.random.default_rng(0).standard_normal((channels, 3, 3, depth))
    y = graph.tensor("maps", DType.FLOAT32, (batch, height, width, channels))
    options = {"padding": 0, "strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    inputs = (x, graph.constant(filters.astype(np.float32)),
              graph.constant(np.zeros(channels, np.float32)))  # fmt: skip
    graph.add(Op("CONV_2D", inputs, (y,), options=options, options_type="Conv2DOptions"))
    return y


def file(*graphs: Graph, keys: tuple[str, ...] = ()) -> bytes:
    model = Model()
    model.graphs += graphs
    for key, graph in zip(keys, graphs, strict=False):
        inputs = {tensor.name: tensor for tensor in graph.inputs}
        outputs = {"out": graph.outputs[0]}
        model.signatures.append(Signature(key, graph, inputs, outputs))
    return write(model)


def any_size(*, fixed: bool = False) -> bytes:
    """Return a classifier of images of any size, as Keras's `Input((None, None, 3))`."""
    graph = Graph("main")
    x = graph.input("image", (1, 16, 16, 3) if fixed else (1, 1, 1, 3))
    maps = convolution(x, 5)
    if not fixed:
        x.shape_signature, maps.shape_signature = (-1, -1, -1, 3), (-1, -1, -1, 5)
    graph.outputs = [softmax(dense(mean(maps, [1, 2]), 4, "classes"))]
    return file(graph)


def waveform() -> bytes:
    graph = Graph("main")
    frames = reshape(graph.input("wave", (60,)), (6, 10))
    pooled = mean(relu(dense(frames, 7, "frames")), [0], keep_dims=True)
    graph.outputs = [softmax(dense(pooled, 3, "classes"))]
    return file(graph)


def two_signatures() -> bytes:
    graphs = []
    for size in (4, 6):
        graph = Graph(f"graph {size}")
        hidden = relu(dense(graph.input("x", (1, size)), size + 1, "hidden"))
        graph.outputs = [softmax(dense(hidden, 3, "classes"))]
        graphs.append(graph)
    return file(*graphs, keys=("small", "large"))


@pytest.mark.parametrize("shape", [(24, 20, 3), {"image": (24, 20, 3)}])
@pytest.mark.parametrize("fixed", [False, True])
def test_a_base_takes_images_of_the_stated_size(shape: Any, fixed: bool) -> None:
    base = TFLite(any_size(fixed=fixed), input_shape=shape)
    conversion = sartor.convert(base, classes=3)
    (spec,) = conversion.manifest.inputs
    assert (spec.shape, spec.modality) == ((1, 24, 20, 3), "image")
    assert verify_contract(conversion.content).passed


def test_open_sizes_are_refused_with_the_option_that_states_them() -> None:
    with pytest.raises(ConversionError, match=r"--input-shape 224,224,3, in Python sartor\.bases"):
        sartor.convert(any_size(), classes=3)


@pytest.mark.parametrize(
    ("build", "shape", "message"),
    [
        (any_size, (24, 20), r"is \[\?, \?, \?\] without the batch; input_shape is \[24, 20\]"),
        (any_size, (24, 20, 4), r"does not take inputs of these shapes: image \[1, 24, 20, 4\]"),
        (any_size, (0, 20, 3), "must be positive integers"),
        (any_size, {"picture": (24, 20, 3)}, "no input 'picture': its inputs are image"),
        (waveform, (70,), r"does not take inputs of these shapes: wave \[70\]"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(build: Any, shape: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        TFLite(build(), input_shape=shape).load()


def test_a_waveform_keeps_its_rank() -> None:
    (tensor,) = TFLite(waveform(), input_shape=(60,)).load().main.inputs
    assert tensor.shape == (60,)


def test_a_personalizable_file_has_a_fixed_shape() -> None:
    content = sartor.convert(any_size(fixed=True), classes=3).content
    with pytest.raises(ConversionError, match="of a personalizable file is fixed"):
        TFLite(content, input_shape=(24, 20, 3)).load()


def test_a_signature_must_be_chosen_and_is_used() -> None:
    base = two_signatures()
    with pytest.raises(ConversionError, match=r"2 signatures: 'small', 'large'.*--signature small"):
        sartor.convert(base, classes=3)
    for key, size in (("small", 5), ("large", 7)):
        conversion = sartor.convert(TFLite(base, signature=key), classes=3)
        assert conversion.manifest.features[0].shape == (size,)
        assert verify_contract(conversion.content).passed
    with pytest.raises(ConversionError, match="no signature 'medium'; its signatures: 'small', 'l"):
        TFLite(base, signature="medium").load()


def test_options_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sizes.tflite").write_bytes(any_size())
    (tmp_path / "signatures.tflite").write_bytes(two_signatures())
    monkeypatch.chdir(tmp_path)
    for options in (
        ["sizes.tflite", "--input-shape", "24,20,3"], ["signatures.tflite", "--signature", "large"],
    ):  # fmt: skip
        with pytest.raises(SystemExit) as exit_info:
            sartor.cli.main(["convert", *options, "-o", "out.tflite", "--classes", "3", "--force"])
        assert exit_info.value.code in (None, 0)


def test_the_input_shape_of_a_personalizable_file_is_fixed() -> None:
    conversion = sartor.convert(TFLite(any_size(), input_shape=(24, 20, 3)), classes=3)
    with pytest.raises(ConversionError, match=r"omit input_shape= \(--input-shape\)"):
        TFLite(conversion.content, input_shape=(24, 20, 3)).load()


def test_an_input_shape_that_does_not_fit_the_weights_is_refused(tiny_base: bytes) -> None:
    """LiteRT accepts 9 numbers for a layer of 8."""
    with pytest.raises(ConversionError, match=r"does not take inputs of these shapes: .* \[1, 9\]"):
        sartor.convert(TFLite(tiny_base, input_shape=(9,)), classes=2)
