"""The rules of docs/recipe.md by the runtime: rule → function, as in `recipe_player`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import PIL.Image
from recipe_vectors import Player
from runtime_training import (
    continue_training,
    first_stage,
    fit,
    fit_layers,
    imprint,
    search_rate,
    start,
)
from runtime_validation import (
    dataset_of,
    detector,
    evict,
    expected_accuracy,
    folds,
    groups,
    held_out_loss,
    manifest_of,
    temperature,
    temperature_by_default,
)

from sartor._random_numbers import RandomNumbers
from sartor.contract.manifest import InputSpec, Manifest
from sartor.modalities import load
from sartor.modalities.image import augment
from sartor.modalities.image.augment import augmented_pixels, crop_box
from sartor.modalities.image.pixels import center_box, center_pixels, decode
from sartor.runtime.data.dataset import Dataset
from sartor.runtime.training.config import TrainingConfig
from sartor.runtime.training.control import Control
from sartor.runtime.training.path import training_stages
from sartor.runtime.training.schedule import Schedule, default_rate
from sartor.runtime.training.trainer import Trainer

__all__ = ["PLAYERS"]

Values: TypeAlias = Mapping[str, Any]
"""Name → value, as JSON has it."""


def _changed(fields: Values) -> Manifest:
    """Return a manifest with other values of some fields, nested as in `sartor.json`."""
    manifest = manifest_of()
    step = replace(manifest.optimizer.step, **fields["optimizer"]["step"])
    return replace(
        manifest,
        task=fields["task"],
        batch_size=fields["batch_size"],
        weights_per_output=fields["weights_per_output"],
        head=replace(manifest.head, **fields["head"]),
        loss=replace(manifest.loss, **fields["loss"]),
        optimizer=replace(manifest.optimizer, step=step),
    )


# --- random numbers and images ---------------------------------------------------------------


def random_numbers(x: Values) -> Values:
    return {"numbers": RandomNumbers(x["seed"]).draw(x["count"])}


def permutations(x: Values) -> Values:
    numbers = RandomNumbers(x["seed"])
    return {"permutations": [numbers.permutation(count) for count in x["counts"]]}


def center_box_of(x: Values) -> Values:
    left, top, right, bottom = center_box(x["width"], x["height"], x["to_width"], x["to_height"])
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _photo(image: Values) -> PIL.Image.Image:
    pixels = np.asarray(image["data"], np.uint8).reshape(image["shape"])
    return PIL.Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def decode_file(x: Values) -> Values:
    """Decode a PNG file with an EXIF orientation."""
    exif, file = PIL.Image.Exif(), io.BytesIO()
    exif[0x0112] = x["orientation"]
    _photo(x["image"]).save(file, "PNG", exif=exif)
    pixels = np.asarray(decode(file.getvalue(), x["channels"]))
    return {"pixels": pixels.reshape(*pixels.shape[:2], -1)}


def center_pixels_of(x: Values) -> Values:
    return {"pixels": center_pixels(_photo(x["image"]), (x["height"], x["width"]))}


def normalize(x: Values) -> Values:
    pixels = np.asarray(x["pixels"], np.uint8)[np.newaxis]
    mean, std = tuple(x["mean"]), tuple(x["std"])
    spec = InputSpec("image", (1, *pixels.shape), "float32", "image", mean, std)
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return {"values": load([spec], pixels).inputs()["image"][0, 0]}


def augmentations(x: Values) -> Values:
    photo, to = _photo(x["image"]), (x["width"], x["height"])
    numbers = RandomNumbers(int.from_bytes(bytes.fromhex(x["identity"])[:4], "little"))
    draws = [(numbers.draw(4) >> 16).tolist() for _ in range(x["count"])]
    boxes = [crop_box(photo.size, to, each[:3]) for each in draws]
    return {
        "crops": [[left, top, right - left, bottom - top] for left, top, right, bottom in boxes],
        "gains": [augment._MIN_GAIN + (each[3] * augment._GAINS >> 16) for each in draws],
        "pixels": [
            augmented_pixels(photo, (x["height"], x["width"]), number, iter(each))
            for number, each in enumerate(draws, 1)
        ],
    }


# --- data set, schedule ------------------------------------------------------------------------


def weights(x: Values) -> Values:
    dataset = dataset_of(x)
    return {
        "fractions": dataset.sample_fraction,
        "weights": dataset.weights,
        "effective_samples": dataset.effective_sample_size,
    }


def mixed_rows(x: Values) -> Values:
    return {"rows": dataset_of(x).stratified_rows(x["batch_size"], x["seed"])}


class _Recorder:
    """An engine that records the rows and the learning rates of its steps."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.rates: list[float] = []

    def run(self, key: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        used = inputs["sample_weights"] > 0
        self.rows.append(inputs["features"][used, 0].astype(int).tolist())
        self.rates.append(float(inputs["learning_rate"][0]))
        size = len(inputs["labels"])
        return {"loss": np.zeros(1), "output": np.zeros((size, inputs["labels"].shape[1]))}

    def variables(self) -> dict[str, np.ndarray]:
        return {}


def _record(rows: int, batch_size: int, seed: int, schedule: Schedule) -> _Recorder:
    manifest = replace(manifest_of(), batch_size=batch_size)
    shape = rows, *manifest.features[0].shape
    features = np.broadcast_to(np.arange(rows, dtype=np.float32)[:, np.newaxis], shape)
    targets = np.zeros((rows, manifest.capacity), np.float32)
    ones = np.ones(rows, np.float32)
    dataset = Dataset([features], targets, ones, np.arange(rows), ones)
    recorder = _Recorder()
    engine: Any = recorder
    Trainer(engine, manifest, dataset, Control(), seed).run(schedule)
    return recorder


def batches(x: Values) -> Values:
    count = -(-x["rows"] // x["batch_size"])
    schedule = Schedule(x["epochs"], count, 1.0)
    rows = _record(x["rows"], x["batch_size"], x["seed"], schedule).rows
    return {"epochs": [rows[i : i + count] for i in range(0, len(rows), count)]}


def rates(x: Values) -> Values:
    return {"rates": _record(1, 1, 0, Schedule(x["steps"], 1, x["peak"])).rates}


def stages(x: Values) -> Values:
    manifest, config = _changed(x["manifest"]), TrainingConfig(**x["options"])
    rate = config.learning_rate
    if rate is None:
        first = [(np.asarray(b["rows"]), np.asarray(b["weights"])) for b in x["first_batches"]]
        magnitude = x.get("target_rms", 1.0)
        rate = default_rate(manifest, first, outputs=x["classes"], magnitude=magnitude)
    result = training_stages(
        manifest,
        config,
        rows=x["rows"],
        samples=x["effective_samples"],
        outputs=x["classes"],
        rate=rate,
        has_default_rate=config.learning_rate is None,
        warm=x.get("warm", False),
    )
    names = ("epochs", "batches", "peak", "weight_decay")
    return {"stages": [{name: getattr(stage, name) for name in names} for stage in result]}


PLAYERS: Mapping[str, Player] = {
    "random_numbers": random_numbers,
    "permutations": permutations,
    "center_box": center_box_of,
    "decode": decode_file,
    "center_pixels": center_pixels_of,
    "normalize": normalize,
    "augmentations": augmentations,
    "weights": weights,
    "mixed_rows": mixed_rows,
    "batches": batches,
    "stages": stages,
    "rates": rates,
    "imprint": imprint,
    "start": start,
    "first_stage": first_stage,
    "search_rate": search_rate,
    "fit": fit,
    "fit_layers": fit_layers,
    "continue": continue_training,
    "groups": groups,
    "folds": folds,
    "temperature": temperature,
    "default_temperature": temperature_by_default,
    "held_out_loss": held_out_loss,
    "expected_accuracy": expected_accuracy,
    "detector": detector,
    "evict": evict,
}
"""Rule → function, which returns the outputs of a case."""
