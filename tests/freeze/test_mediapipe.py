"""MediaPipe's ImageClassifier opens a frozen file, and gives the same output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from freeze_helpers import outputs, train_randomly

import sartor

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 60, 80, 3)).astype(np.uint8)

BASES: dict[str, dict[str, object]] = {
    "vww_96_float": {},
    "vww_96_int8": {},
    "tf2_mobilenet_v2_1.0_224_ptq": {},
    "mobilenet_v1_0.25_128_quant": {"head": "cosine"},
    "pretrainedResnet": {"mean": (120, 110, 100), "std": (50, 55, 60), "head": "mlp"},
}


def classify(mediapipe: Any, path: Path, images: Iterable[np.ndarray]) -> list[dict[str, float]]:
    """Return class → score of each image, by MediaPipe."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(path)))
    results = []
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for pixels in images:
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
            (head,) = classifier.classify(image).classifications
            results.append({each.category_name: each.score for each in head.categories})
    return results


@pytest.mark.parametrize("quantize", ["none", "full-integer"])
@pytest.mark.parametrize("name", BASES)
def test_mediapipe_gives_the_same_output(
    name: str,
    quantize: str,
    shared_models: Path,
    tmp_path: Path,
    mediapipe: Any,
    quantizer: Any,
) -> None:
    trained_model = train_randomly(
        shared_models / f"{name}.tflite",
        tmp_path,
        **BASES[name],  # type: ignore[arg-type]
        normalize=False if quantize == "full-integer" else None,
    )
    images = None if quantize == "none" else IMAGES
    frozen = sartor.freeze(
        trained_model.path,
        tmp_path / "f.tflite",
        trained_model.checkpoint,
        quantize=quantize,
        representative=images,
    )
    (spec,) = trained_model.manifest.inputs
    pixels = np.random.default_rng(1).integers(0, 256, (3, *spec.shape[1:])).astype(np.uint8)
    inputs = pixels
    if spec.dtype == "float32" and quantize == "none":
        # The frozen file takes pixels if its channels have different means.
        mean, std = (spec.mean, spec.std) if len(spec.mean) == 1 else (0, 1)
        inputs = ((pixels - np.array(mean)) / np.array(std)).astype(np.float32)
    rows = outputs(frozen.path, [{"input": each[np.newaxis]} for each in inputs])
    for scores, row in zip(classify(mediapipe, frozen.path, pixels), rows, strict=True):
        expected = dict(zip(frozen.classes, row, strict=True))
        assert scores == pytest.approx(expected, abs=1e-5)
        assert expected[next(iter(scores))] == max(row)
