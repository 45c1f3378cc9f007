"""EfficientNet-Lite0, the starter base."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_base import cosines, run

import sartor
from sartor.bases import STARTER, Base, EfficientNetLite0, load_base
from sartor.errors import ConversionError, SartorError
from sartor.flatbuffer import METADATA_NAME, decode_metadata
from sartor.graph import DType, Graph
from sartor.testing.verify import verify_contract

# Repeats, kernel, stride, expansion, channels in and out, as published.
PUBLISHED = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
BLOCKS = [
    (kernel, stride if repeat == 0 else 1, expansion, inputs if repeat == 0 else outputs, outputs)
    for repeats, kernel, stride, expansion, inputs, outputs in PUBLISHED
    for repeat in range(repeats)
]
SIZES = (96, 97, 150, 224, 320)


def halve(size: int, times: int) -> int:
    for _ in range(times):
        size = -(-size // 2)
    return size


def shape_of(graph: Graph, name: str) -> tuple[int, ...]:
    (tensor,) = graph.find(name)
    return tensor.shape


@pytest.mark.parametrize("quantize", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_the_network_is_the_published_one(size: int, quantize: bool) -> None:
    graph = EfficientNetLite0(size, quantize=quantize).load().main
    halvings = 1
    assert shape_of(graph, "stem") == (1, halve(size, 1), halve(size, 1), 32)
    for number, (kernel, stride, expansion, inputs, outputs) in enumerate(BLOCKS, 1):
        channels = inputs * expansion
        (filtered,) = graph.find(f"block_{number}/depthwise")
        assert filtered.producer is not None
        assert filtered.producer.input(1).shape == (1, kernel, kernel, channels)
        halvings += stride == 2
        assert filtered.shape == (1, halve(size, halvings), halve(size, halvings), channels)
        (block,) = graph.find(f"block_{number}")
        assert block.shape == (*filtered.shape[:3], outputs)
        assert block.producer is not None
        assert (block.producer.code == "ADD") == (stride == 1 and inputs == outputs)
        assert bool(graph.find(f"block_{number}/expand")) == (expansion > 1)
    assert shape_of(graph, "head") == (1, halve(size, 5), halve(size, 5), 1280)
    assert shape_of(graph, "features") == (1, 1280)
    assert [tensor.shape for tensor in graph.outputs] == [(1, 1000), (1, 320)]


def test_every_convolution_pads_and_ends_as_published() -> None:
    for op in EfficientNetLite0().load().main.ops:
        if op.code in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            linear = re.fullmatch(r"block_\d+(/project)?", op.output.name) is not None
            assert op.options["padding"] == 0
            assert op.options["fusedActivationFunction"] == (0 if linear else 3), op


def test_all_activations_are_int8() -> None:
    graph = EfficientNetLite0().load().main
    (pixels,) = graph.inputs
    assert pixels.dtype is DType.UINT8
    assert pixels.quantization is not None
    assert pixels.quantization.per_tensor == (1 / 128, 127)
    assert {op.output.dtype for op in graph.ops} == {DType.INT8}
    for op in graph.ops:
        if op.code.endswith("CONV_2D"):
            kernel, bias = op.input(1).quantization, op.input(2).quantization
            assert kernel is not None
            assert bias is not None
            assert kernel.scale.size == bias.scale.size == op.output.shape[-1]
            assert op.input(2).dtype is DType.INT32


@pytest.mark.parametrize(
    "base",
    [EfficientNetLite0(), EfficientNetLite0(quantize=False), EfficientNetLite0(float_blocks=2)],
)
def test_tensor_names_are_unique(base: EfficientNetLite0) -> None:
    names = [tensor.name for tensor in base.load().main.tensors]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("count", [1, 3, 16])
def test_the_last_blocks_can_stay_float(count: int) -> None:
    graph = EfficientNetLite0(96, float_blocks=count).load().main
    types = {
        op.output.name: op.output.dtype
        for op in graph.ops
        if op.output.name.startswith("block_") and "/" not in op.output.name
    }
    expected = [DType.INT8] * (16 - count) + [DType.FLOAT32] * count
    assert [types[f"block_{number}"] for number in range(1, 17)] == expected
    assert [op.code for op in graph.ops].count("DEQUANTIZE") == 1
    assert {tensor.dtype for tensor in graph.outputs} == {DType.FLOAT32}


def test_photos_are_classified_correctly(labeled_photos: tuple[np.ndarray, np.ndarray]) -> None:
    pixels, classes = labeled_photos
    exact, exact_features = run(EfficientNetLite0(quantize=False), pixels, ("logits", "features"))
    logits, features = run(EfficientNetLite0(), pixels, ("logits", "features"))
    for scores in (exact, logits):
        best = np.argsort(-scores, axis=1)[:, :5]
        assert (best[:, 0] == classes).mean() >= 0.83
        assert (best == classes[:, np.newaxis]).any(axis=1).mean() >= 0.94
    assert (exact.argmax(axis=1) == logits.argmax(axis=1)).mean() >= 0.93
    agreement = cosines(exact_features, features)
    assert agreement.mean() > 0.99
    assert agreement.min() > 0.95


@pytest.mark.parametrize("size", SIZES)
def test_int8_agrees_with_float_at_every_size(size: int, photos: list[Path]) -> None:
    from sartor.modalities import image_pixels

    pixels = np.stack([image_pixels(path, (size, size)) for path in photos[::100]])
    names = ("features", "features_320")
    exact = run(EfficientNetLite0(size, quantize=False), pixels, names)
    for base in (EfficientNetLite0(size), EfficientNetLite0(size, float_blocks=2)):
        for actual, expected in zip(run(base, pixels, names), exact, strict=True):
            assert cosines(actual, expected).min() > 0.97


def test_more_float_blocks_reduce_the_error(labeled_photos: tuple[np.ndarray, np.ndarray]) -> None:
    pixels = labeled_photos[0][::4]
    (exact,) = run(EfficientNetLite0(quantize=False), pixels, ["features"])
    bases = [EfficientNetLite0(float_blocks=count) for count in (0, 8, 16)]
    similarities = [cosines(run(base, pixels, ["features"])[0], exact).mean() for base in bases]
    assert all(more > less for less, more in pairwise(similarities))
    assert similarities[-1] > 0.998


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"input_size": 95}, "input_size must be an integer from 96 to 320, got 95"),
        ({"input_size": 321}, "got 321"),
        ({"input_size": 224.0}, "got 224.0"),
        ({"input_size": True}, "got True"),
        ({"input_size": "224"}, "got '224'"),
        ({"float_blocks": 17}, "float_blocks must be an integer from 0 to 16"),
        ({"float_blocks": -1}, "got -1"),
        ({"float_blocks": 1, "quantize": False}, "float_blocks needs quantize"),
    ],
)
def test_invalid_options_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        EfficientNetLite0(**settings)


def test_the_metadata_state_scaling_author_and_license() -> None:
    for quantize in (True, False):
        model = EfficientNetLite0(96, quantize=quantize).load()
        metadata = decode_metadata(model.metadata[METADATA_NAME])
        (graph,) = metadata.subgraph_metadata
        (image,) = graph.input_tensor_metadata
        assert image.normalization is not None
        assert image.normalization.mean == (127,)
        assert image.normalization.std == (128,)
        assert len(graph.output_tensor_metadata) == len(model.main.outputs)
        assert metadata.license == "Apache-2.0"


def test_the_file_has_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib; from sartor.bases import EfficientNetLite0;"
        "print(hashlib.sha256(EfficientNetLite0(96, float_blocks=2)._build()).hexdigest())"
    )
    digests = {
        subprocess.check_output([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_name_starter_is_the_default() -> None:
    assert isinstance(EfficientNetLite0(), Base)
    for name in (STARTER, Path(STARTER)):
        assert load_base(name).main.inputs[0].shape == (1, 224, 224, 3)
    with pytest.raises(SartorError, match="beginner"):
        load_base("beginner")


@pytest.mark.parametrize(
    ("base", "features", "length"),
    [
        (EfficientNetLite0(96), None, 1280),
        (EfficientNetLite0(96), "features_320", 320),
        (EfficientNetLite0(96, quantize=False), None, 1280),
        (EfficientNetLite0(96, float_blocks=1), None, 1280),
    ],
)
def test_the_converted_file_passes_the_verifier(
    base: EfficientNetLite0, features: str | None, length: int
) -> None:
    model = sartor.convert(base, classes=4, features=features)
    assert model.manifest.features[0].shape == (length,)
    assert not model.notes
    (image,) = model.manifest.inputs
    assert (image.modality, image.shape) == ("image", (1, 96, 96, 3))
    if base.quantize:
        assert image.dtype == "uint8"
    else:
        assert (image.dtype, image.mean, image.std) == ("float32", (127.0,), (128.0,))
    report = verify_contract(model.content)
    assert report.passed, report.failures


def test_the_converted_file_trains(tmp_path: Path) -> None:
    path = sartor.convert(EfficientNetLite0(96), classes=3).save(tmp_path / "model.tflite")
    random = np.random.default_rng(0)

    def draw(color: int) -> np.ndarray:
        pixels = random.integers(0, 60, (120, 100, 3), np.uint8)
        pixels[30:90, 20:80, color] += 180
        return pixels

    with sartor.PersonalModel(path) as model:
        for color, name in enumerate(("red", "green", "blue")):
            for _ in range(5):
                model.add_sample(draw(color), name)
        model.fit()
        for color, name in enumerate(("red", "green", "blue")):
            assert model.predict(draw(color))[0].label == name
