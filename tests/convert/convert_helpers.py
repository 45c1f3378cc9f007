"""Sessions, inputs and training of personalizable files for the tests of `convert`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel

from sartor import PersonalizableModel
from sartor.contract.manifest import Manifest
from sartor.contract.names import MASK, OUTPUT
from sartor.testing.verify import verify_contract
from sartor.testing.verify.session import Session

Arrays = Mapping[str, np.ndarray]


def session_of(conversion: PersonalizableModel) -> Session:
    return Session(conversion.content, conversion.manifest)


def assert_keeps_the_contract(conversion: PersonalizableModel) -> None:
    report = verify_contract(conversion.content)
    assert report.passed, report.failures


def some_inputs(conversion: PersonalizableModel, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    inputs = {}
    for spec in conversion.manifest.inputs:
        value = rng.random(spec.shape) * (255 if spec.dtype == "uint8" else 2)
        inputs[spec.name] = value.astype(spec.dtype)
    return inputs


def blobs(manifest: Manifest, classes: int, rows: int) -> tuple[Arrays, np.ndarray]:
    """Return separable features and their labels: each class lies around one point."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % classes
    features = {}
    for spec in manifest.features:
        points = rng.random((classes, *spec.shape))
        noise = 0.1 * rng.standard_normal((rows, *spec.shape))
        features[spec.name] = (points[labels] + noise).astype(np.float32)
    return features, labels


def accuracy_after(session: Session, steps: int, rate: float, classes: int = 3) -> float:
    """Return the accuracy on new samples of the blobs after training for some steps."""
    batch, capacity = session.manifest.batch_size, session.manifest.capacity
    features, labels = blobs(session.manifest, classes, 2 * batch)
    session.restore({**session.save(), MASK: (np.arange(capacity) < classes).astype(np.float32)})
    targets = np.eye(capacity, dtype=np.float32)[labels]
    weights_shape = (batch, capacity) if session.manifest.weights_per_output else (batch,)
    sample_weights = np.ones(weights_shape, np.float32)
    train_features = {name: value[:batch] for name, value in features.items()}
    for step in range(steps):
        learning_rate = np.array([rate * (1 - step / steps)], np.float32)
        session.call(
            "train",
            **train_features,
            labels=targets[:batch],
            sample_weights=sample_weights,
            learning_rate=learning_rate,
        )
    test_features = {name: value[batch:] for name, value in features.items()}
    output = session.call(
        "evaluate", **test_features, labels=targets[batch:], sample_weights=sample_weights
    )[OUTPUT]
    return float((output.argmax(1) == labels[batch:]).mean())


def compiled(content: bytes) -> Any:
    """Return `call(key, inputs) → outputs`, which runs LiteRT's CompiledModel."""
    model = CompiledModel.from_buffer(content)

    def call(key: str, inputs: Arrays) -> dict[str, np.ndarray]:
        details = model.get_output_tensor_details(key)
        input_buffers = {name: model.create_input_buffer_by_name(key, name) for name in inputs}
        for name, value in inputs.items():
            input_buffers[name].write(value)
        output_buffers = {name: model.create_output_buffer_by_name(key, name) for name in details}
        model.run_by_name(key, input_buffers, output_buffers)
        shapes = {name: tuple(detail["shape"]) for name, detail in details.items()}
        return {
            name: output_buffers[name].read(int(np.prod(shape)), np.float32).reshape(shape)
            for name, shape in shapes.items()
        }

    return call
