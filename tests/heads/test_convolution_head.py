"""Heads of convolutions: equal outputs, correct gradients, and a training on real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from head_files import CLASSES, dense, file_of

import sartor
from sartor import PersonalModel
from sartor.contract.names import FEATURES, LABELS, OUTPUT, SAMPLE_WEIGHTS
from sartor.flatbuffer import read
from sartor.graph import Op, Tensor
from sartor.heads import TFLite
from sartor.ops import emit, mean, relu, softmax
from sartor.testing import verify_contract

MAP, BATCH = (1, 5, 4, 3), 4


def convolve(x: Tensor, code: str, random: np.random.Generator, *shape: int, stride: int) -> Tensor:
    """Emit a convolution with weights of this shape, and a RELU6."""
    channels = shape[0] if code == "CONV_2D" else shape[3]
    fan_in = np.prod(shape[1:3]) * (shape[3] if code == "CONV_2D" else 1)
    weights = (random.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)
    bias = np.zeros(channels, np.float32)
    return emit(
        code, x, weights, bias, strideH=stride, strideW=stride, fusedActivationFunction=3
    )  # fmt: skip


def small_head(x: Tensor, random: np.random.Generator) -> Tensor:
    """Apply a grouped, a strided and a depthwise convolution, and two pools."""
    hidden = convolve(x, "CONV_2D", random, 6, 3, 3, 1, stride=1)
    hidden = convolve(hidden, "CONV_2D", random, 5, 3, 2, 6, stride=2)
    hidden = convolve(hidden, "DEPTHWISE_CONV_2D", random, 1, 3, 3, 5, stride=1)
    pool = emit(
        "MAX_POOL_2D", hidden, filterHeight=2, filterWidth=2, strideH=1, strideW=1, padding=1
    )
    return softmax(dense(mean(pool, [1, 2]), CLASSES, random))


def block(x: Tensor, random: np.random.Generator) -> Tensor:
    """Apply a separable block to a map of MobileNetV2, and average its positions."""
    hidden = convolve(x, "CONV_2D", random, 48, 1, 1, x.shape[3], stride=1)
    hidden = convolve(hidden, "DEPTHWISE_CONV_2D", random, 1, 3, 3, 48, stride=1)
    return softmax(dense(mean(hidden, [1, 2]), CLASSES, random))


def map_file(head: bytes) -> sartor.PersonalizableModel:
    """Return a file whose features are a map."""
    base = file_of(lambda x, _: relu(x), *MAP)
    return sartor.convert(
        base, classes=["a", "b", "c", "d"], head=TFLite(head), features="relu", batch_size=BATCH
    )


def train_ops(content: bytes, *codes: str) -> list[Op]:
    signature = read(content).signature("train")
    assert signature is not None
    return [op for op in signature.graph.ops if op.code in codes]


def run_head(content: bytes, images: np.ndarray) -> np.ndarray:
    """Return the outputs of the file of a head, one image at a time."""
    runner = Interpreter(model_content=content)
    runner.allocate_tensors()
    outputs = []
    for image in images:
        runner.set_tensor(runner.get_input_details()[0]["index"], image[None])
        runner.invoke()
        outputs.append(runner.get_tensor(runner.get_output_details()[0]["index"])[0])
    return np.array(outputs)


def test_the_outputs_are_those_of_the_file_and_the_gradients_verify() -> None:
    head = file_of(small_head, *MAP)
    model = map_file(head)
    images = np.abs(np.random.default_rng(1).standard_normal((BATCH, *MAP[1:]))).astype(np.float32)
    expected = run_head(head, images)
    interpreter = Interpreter(model_content=model.content)
    infer, evaluate = map(interpreter.get_signature_runner, ("infer", "evaluate"))
    (name,) = infer.get_input_details()
    for image, row in zip(images, expected, strict=True):
        np.testing.assert_allclose(infer(**{name: image[None]})[OUTPUT][0], row, atol=1e-6)
    labels = np.zeros((BATCH, CLASSES), np.float32)
    weights = np.ones(model.manifest.signatures()["evaluate"][0][SAMPLE_WEIGHTS].shape, np.float32)
    batch = {FEATURES: images, LABELS: labels, SAMPLE_WEIGHTS: weights}
    np.testing.assert_allclose(evaluate(**batch)[OUTPUT], expected, atol=1e-6)
    report = verify_contract(model.content)
    assert report.passed, report.failures


def test_a_variable_convolution_is_a_product_but_in_infer() -> None:
    content = map_file(file_of(small_head, *MAP)).content
    assert not train_ops(content, "CONV_2D")
    assert len(train_ops(content, "BATCH_MATMUL")) >= 6
    infer = read(content).signature("infer")
    assert infer is not None
    assert len([op for op in infer.graph.ops if op.code == "CONV_2D"]) == 2


def test_a_head_of_convolutions_learns_clothes(
    shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    """On the map of MobileNetV2 before its last convolution and the pool: 7 x 7 x 320."""
    names, clothing = ("hat", "shoes", "dress"), shared_data / "clothing"
    held_out = [(path, name) for name in names
                for path in sorted((clothing / "validation" / name).iterdir())[:12]]  # fmt: skip
    path = sartor.convert(
        shared_models / "tf2_mobilenet_v2_1.0_224_ptq.tflite", classes=CLASSES,
        head=TFLite(file_of(block, 1, 7, 7, 320)), optimizer=sartor.Adam(), batch_size=16,
        features="MobileNetV2/expanded_conv_17/project/batch_norm/FusedBatchNormV3",
    ).save(tmp_path / "model.tflite")  # fmt: skip
    with PersonalModel(path) as model:
        for name in names:
            for photo in sorted((clothing / "train" / name).iterdir())[:12]:
                model.add_sample(photo, name)
        imprinted = model.evaluate(held_out).accuracy
        history = model.fit(epochs=25)
        trained = model.evaluate(held_out).accuracy
    assert history.epochs[-1].accuracy == pytest.approx(1, abs=0.03)
    assert trained > max(imprinted, 0.85)
