"""A training of the last layers of a real model follows TensorFlow's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_tails import split_model
from PIL import Image
from whole_models import run_in_tensorflow, tensorflow_values, weights_of

import sartor
from sartor import PersonalizableModel
from sartor.contract.names import FEATURES, LABELS, LEARNING_RATE, LOSS, MASK, SAMPLE_WEIGHTS
from sartor.flatbuffer import read
from sartor.graph import Graph
from sartor.heads import TFLite
from sartor.testing import run_graph
from sartor.testing.verify.session import Session

BATCH, BATCHES, STEPS, MOMENTUM = 16, 6, 300, 0.9
KINDS = ("hat", "shoes")


@pytest.fixture(scope="module")
def tf() -> Any:
    return pytest.importorskip("tensorflow", reason="the extra `tensorflow` is not installed")


@pytest.mark.parametrize(
    ("model", "layers", "scale", "rate"),
    [("vww_96_float", 5, 255.0, 0.1), ("pretrainedResnet", 4, 1.0, 5e-4)],
)
def test_300_steps_follow_tensorflow(
    shared_models: Path,
    shared_data: Path,
    tf: Any,
    model: str,
    layers: int,
    scale: float,
    rate: float,
) -> None:
    base, head, name = split_model(shared_models / f"{model}.tflite", layers)
    classes = read(head).main.outputs[0].shape[1]
    photos = _photos(shared_data / "clothing" / "train")
    labels = np.eye(classes, dtype=np.float32)[np.arange(len(photos)) % len(KINDS)]
    batches = _batches(_features(read(base).main, photos, scale), labels)
    converted = sartor.convert(
        base, classes=classes, head=TFLite(head), features=name, batch_size=BATCH,
        optimizer=sartor.SGD(momentum=MOMENTUM, weight_decay=0.0),
    )  # fmt: skip
    actual = _losses(converted, batches, rate)
    expected = _losses_of_tensorflow(tf, read(head).main, batches, rate)
    assert actual[-BATCHES:].mean() < 0.5 * actual[0]
    np.testing.assert_allclose(actual, expected, atol=5e-4)


def _photos(folder: Path) -> list[Path]:
    """Return photos of each kind by turns."""
    count = BATCH * BATCHES // len(KINDS)
    kinds = [sorted((folder / kind).iterdir())[:count] for kind in KINDS]
    return [photo for row in zip(*kinds, strict=True) for photo in row]


def _features(base: Graph, photos: Sequence[Path], scale: float) -> np.ndarray:
    (image,), (features,) = base.inputs, base.outputs
    _, height, width, _ = image.shape
    rows = []
    for photo in photos:
        pixels = Image.open(photo).convert("RGB").resize((width, height))
        values = (np.asarray(pixels)[None] / scale).astype(np.float32)
        rows.append(run_graph(base, {image: values})[features])
    return np.concatenate(rows)


def _batches(features: np.ndarray, labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    rows = [np.arange(BATCH) + BATCH * (step % BATCHES) for step in range(STEPS)]
    return [(features[each], labels[each]) for each in rows]


def _losses(
    model: PersonalizableModel, batches: Sequence[tuple[np.ndarray, np.ndarray]], rate: float
) -> np.ndarray:
    """Train in LiteRT, and return the loss before each step."""
    session = Session(model.content, model.manifest)
    session.restore({**session.save(), MASK: np.ones(model.manifest.capacity, np.float32)})
    inputs = {
        SAMPLE_WEIGHTS: np.ones(BATCH, np.float32), LEARNING_RATE: np.array([rate], np.float32),
    }  # fmt: skip
    calls = (session.call("train", **{FEATURES: x, LABELS: y}, **inputs) for x, y in batches)
    return np.array([outputs[LOSS][0] for outputs in calls])


def _losses_of_tensorflow(
    tf: Any, graph: Graph, batches: Sequence[tuple[np.ndarray, np.ndarray]], rate: float
) -> np.ndarray:
    """Train all weights in float64, and return the loss before each step."""
    graph.outputs = [graph.ops[-1].input(0)]  # before the softmax
    graph.prune()
    (x,), (logits,) = graph.inputs, graph.outputs
    weights = {each: tf.Variable(each.value, dtype=tf.float64) for each in weights_of(graph, x)}
    velocity = {each: tf.Variable(tf.zeros_like(value)) for each, value in weights.items()}

    def step(features: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            values = {**tensorflow_values(tf, graph, {}), x: features}
            values.update((each, tf.convert_to_tensor(value)) for each, value in weights.items())
            for op in graph.ops:
                run_in_tensorflow(tf, op, values)
            losses = tf.nn.softmax_cross_entropy_with_logits(labels, values[logits])
            loss = tf.reduce_mean(losses)
        variables = list(weights.values())
        for each, variable, g in zip(
            weights, variables, tape.gradient(loss, variables), strict=True
        ):
            velocity[each].assign(MOMENTUM * velocity[each] + g)
            variable.assign_sub(rate * velocity[each])
        return loss

    compiled = tf.function(step, autograph=False)
    return np.array(
        [float(compiled(*(tf.constant(v, tf.float64) for v in each))) for each in batches]
    )
