"""How honest the answers are: calibration, and "none of these" for what was never taught."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import sartor
from sartor.contract.names import CENTER, SCALE
from sartor.runtime.confidence.out_of_distribution import Familiarity
from sartor.runtime.confidence.temperature import (
    default_temperature,
    expected_calibration_error,
    fit_temperature,
    folds,
    tempered,
)
from sartor.runtime.saved.checkpoint import read_checkpoint

from .digits import KEYWORDS, embedded_digits
from .harness import MOBILENET, Promise, Report, main, shared
from .photos import FeatureModel, Photos, embedded, paths

_SHOTS = (1, 5, 20, 100)
_TAUGHT = (5, 8)  # of ten classes
_DRAWS, _FOLDS, _RECALL = 5, 3, 0.95
_TO_LEARN = 105  # of each digit: the others are fresh
_SCORES = ("max softmax", "nearest mean", "Sartor")


@dataclass(frozen=True)
class World:
    """What is there to teach, to recognize and to refuse.

    Attributes:
        name: for the table.
        file: converted.
        learn, fresh: samples of ten classes.
        others: features of what is of none of them, or None.
    """

    name: str
    file: Path
    learn: Photos
    fresh: Photos
    others: np.ndarray | None = None


@dataclass(frozen=True)
class Draw:
    """What one draw gave: parts of 1, in the order of `_SCORES` where there are three.

    `area` is AUROC, `false` what is accepted of the unknown at 95 % recall, by the threshold that
    the known samples themselves would set; `far` the same of other pictures. `recall`,
    `accepted` and `accepted_far` are by the threshold that was fitted.
    """

    area: list[float]
    false: list[float]
    far: list[float]
    recall: float
    accepted: float
    accepted_far: float
    error: float
    calibrated: float


@dataclass(frozen=True)
class Cell:
    """One row of the table."""

    world: str
    shots: int
    draws: list[Draw]

    def mean(self, pick: Callable[[Draw], float]) -> float:
        """Of one number of each draw."""
        return float(np.mean([pick(draw) for draw in self.draws]))


class Head:
    """A linear head, trained by PersonalModel with all defaults."""

    def __init__(self, file: Path, features: np.ndarray, slots: np.ndarray) -> None:
        with tempfile.TemporaryDirectory() as folder, FeatureModel(file) as model:
            for row, slot in zip(features, slots, strict=True):
                model.add_sample(row[None], str(slot))
            model.fit()
            checkpoint = read_checkpoint(model.save(Path(folder, "head.safetensors")))
        places = [checkpoint.classes.index(str(slot)) for slot in np.unique(slots)]
        self._weights = checkpoint.state["head/weights"][places]
        self._bias = checkpoint.state["head/bias"][places]
        self._center, self._scale = checkpoint.state[CENTER], checkpoint.state[SCALE]

    def probabilities(self, features: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """What it says of features [N, F]: [N, C]."""
        seen = (features - self._center) * self._scale
        logits = (seen @ self._weights.T + self._bias) / temperature
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True))


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        cells = [_cell(world, shots) for world in _worlds(Path(folder)) for shots in _SHOTS]
    return _report(cells)


def _report(cells: Sequence[Cell]) -> Report:
    return Report(
        "Honest answers: classes never taught, other pictures, and calibration",
        ["", "samples a class",
         *(f"AUROC: {name}" for name in _SCORES),
         *(f"false accepts: {name}" for name in _SCORES),
         *(f"other pictures: {name}" for name in _SCORES),
         "threshold: known", "never taught", "other pictures", "ECE before", "ECE after"],
        [_row(cell) for cell in cells],
        promises=_promises(cells),
        notes=[
            f"Means over {_DRAWS} draws for each of {' and '.join(map(str, _TAUGHT))} classes "
            "taught of ten; the others are never taught. Other pictures: 500 of ImageNet.",
            "False accepts: unknown inputs that pass where 95 % of fresh known ones do. "
            "Threshold: what passes the threshold that Sartor fits to the taught samples alone. "
            "With one sample a class nothing can be held out: the threshold is what taught classes "
            "are to each other, and the temperature the usual one.",
            "Nearest mean: greatest cosine to a class's mean. Max softmax and Sartor use the head "
            "that PersonalModel trains; ECE is that of fresh known samples, in 15 bins of "
            "equal numbers, before and after the temperature is fitted.",
        ],
        data=[{"world": cell.world, "shots": cell.shots, "draws": [vars(draw) for draw in
               cell.draws]} for cell in cells],
    )  # fmt: skip


def _worlds(folder: Path) -> Iterator[World]:
    pictures = sorted(shared("data", "imagenet_samples").glob("*.jpg"))
    for name, base in (
        ("MobileNetV2", shared("models", MOBILENET)),
        ("starter", "starter"),
    ):
        file = sartor.convert(base, classes=10).save(folder / f"{name}.tflite")
        learn, fresh = (embedded(file, paths(split)) for split in ("train", "validation"))
        others = embedded(file, [(path, "") for path in pictures]).features
        yield World(f"clothing, {name}", file, learn, fresh, others)
    digits = embedded_digits(folder)
    order = np.random.default_rng(0).permutation(len(digits.labels))
    of_class = [order[digits.labels[order] == label] for label in np.unique(digits.labels)]
    parts = [np.concatenate(each) for each in zip(
        *((rows[:_TO_LEARN], rows[_TO_LEARN:]) for rows in of_class), strict=True)]  # fmt: skip
    learn, fresh = (Photos(digits.features[rows], digits.labels[rows]) for rows in parts)
    yield World("spoken digits", folder / KEYWORDS, learn, fresh)


def _cell(world: World, shots: int) -> Cell:
    draws = [_draw(world, shots, taught, seed) for taught in _TAUGHT for seed in range(_DRAWS)]
    return Cell(world.name, shots, draws)


def _draw(world: World, shots: int, taught: int, seed: int) -> Draw:
    """Teach some classes, and see what becomes of known and unknown inputs."""
    rng = np.random.default_rng([seed, shots, taught])
    names = rng.permutation(np.unique(world.learn.labels))[:taught]
    rows = [
        rng.choice(np.flatnonzero(world.learn.labels == n), shots, replace=False) for n in names
    ]
    features, slots = (
        world.learn.features[np.concatenate(rows)],
        np.repeat(range(taught), shots),
    )
    head = Head(world.file, features, slots)
    parts = folds(slots, np.arange(len(slots)), _FOLDS, rng)
    held_out = _held_out(world.file, features, slots, parts) if shots > 1 else None
    temperature = default_temperature(head.probabilities(features))
    if held_out is not None:
        temperature = fit_temperature(held_out, np.eye(taught)[slots], expected=temperature)
        held_out = tempered(held_out, temperature)
    model = Familiarity.fit([features], slots, parts, held_out, recall=_RECALL)
    assert model is not None
    means = _unit(np.stack([_unit(features[slots == slot]).mean(0) for slot in range(taught)]))

    def scores(inputs: np.ndarray) -> list[np.ndarray]:
        output = head.probabilities(inputs, temperature)
        pairs = zip(inputs, output, strict=True)
        ours = np.array([model.score([row[None]], said[None]) for row, said in pairs])
        return [
            head.probabilities(inputs).max(1),
            (_unit(inputs) @ means.T).max(1),
            ours,
        ]

    is_known = np.isin(world.fresh.labels, names)
    unknown = [each.features[~np.isin(each.labels, names)] for each in (world.learn, world.fresh)]
    fresh, targets = (
        world.fresh.features[is_known],
        _one_hot(world.fresh.labels[is_known], names),
    )
    known, never = scores(fresh), scores(np.concatenate(unknown))
    far = [np.full(1, np.nan)] * 3 if world.others is None else scores(world.others)
    limits = [float(np.quantile(each, 1 - _RECALL)) for each in known]
    return Draw(
        area=[_area(*each) for each in zip(known, never, strict=True)],
        false=_above(never, limits),
        far=_above(far, limits),
        recall=_above(known[2:], [model.threshold])[0],
        accepted=_above(never[2:], [model.threshold])[0],
        accepted_far=_above(far[2:], [model.threshold])[0],
        error=expected_calibration_error(head.probabilities(fresh), targets),
        calibrated=expected_calibration_error(head.probabilities(fresh, temperature), targets),
    )


def _held_out(file: Path, features: np.ndarray, slots: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """What heads say of samples that they have not seen: [N, C]."""
    rows = np.zeros((len(slots), int(slots.max()) + 1))
    for part in np.unique(parts):
        out = parts == part
        rows[out] = Head(file, features[~out], slots[~out]).probabilities(features[out])
    return rows


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _one_hot(labels: np.ndarray, names: np.ndarray) -> np.ndarray:
    return np.asarray(labels[:, None] == names, np.float64)


def _area(known: np.ndarray, unknown: np.ndarray) -> float:
    """AUROC: how often a known input scores above an unknown one; ties count half."""
    ordered = np.sort(unknown)
    below, upto = (np.searchsorted(ordered, known, side) for side in ("left", "right"))
    return float((below + upto).mean()) / 2 / len(unknown)


def _above(scores: Sequence[np.ndarray], limits: Sequence[float]) -> list[float]:
    pairs = zip(scores, limits, strict=True)
    return [float(np.where(np.isnan(s), np.nan, s >= limit).mean()) for s, limit in pairs]


def _row(cell: Cell) -> list[str]:
    columns: list[Callable[[Draw], float]] = [
        *(lambda draw, i=i: draw.area[i] for i in range(3)),
        *(lambda draw, i=i: draw.false[i] for i in range(3)),
        *(lambda draw, i=i: draw.far[i] for i in range(3)),
        lambda draw: draw.recall, lambda draw: draw.accepted, lambda draw: draw.accepted_far,
        lambda draw: draw.error, lambda draw: draw.calibrated,
    ]  # fmt: skip
    means = [100 * cell.mean(column) for column in columns]
    return [
        cell.world,
        str(cell.shots),
        *("" if np.isnan(mean) else f"{mean:.1f} %" for mean in means),
    ]


def _promises(cells: Sequence[Cell]) -> list[Promise]:
    draws = [draw for cell in cells for draw in cell.draws]
    areas = 100 * np.array([draw.area for draw in draws])
    promises = []
    for index, (name, least) in enumerate(zip(_SCORES[:2], (5, 2), strict=True)):
        gain = areas[:, 2] - areas[:, index]
        measured = f"{gain.mean():+.1f} ± {gain.std(ddof=1) / np.sqrt(len(gain)):.1f}"
        text = f"AUROC on classes never taught: at least {least} points above {name}"
        promises.append(Promise(text, measured, bool(gain.mean() >= least)))
    recalls = [100 * cell.mean(lambda draw: draw.recall) for cell in cells if cell.shots > 1]
    text = "95 % of fresh known inputs are accepted, within 3 points, from 5 samples a class on"
    measured = f"{min(recalls):.1f} % to {max(recalls):.1f} %"
    promises.append(Promise(text, measured, all(abs(each - 95) <= 3 for each in recalls)))
    before, after = (
        100 * np.array([cell.mean(pick) for cell in cells])
        for pick in (lambda draw: draw.error, lambda draw: draw.calibrated)
    )
    text = "the temperature lowers the expected calibration error, on the average of the rows"
    measured = f"{before.mean():.1f} % to {after.mean():.1f} %, rows {(after - before).max():+.1f}"
    measured += f" to {(after - before).min():+.1f} points"
    promises.append(Promise(text, measured, bool(after.mean() < before.mean())))
    return promises


if __name__ == "__main__":
    main(run)
