"""The training of docs/recipe.md in plain NumPy, on the signatures of docs/contract.md."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from plain import (
    Floats,
    Mask,
    Numbers,
    Rows,
    activation,
    calibration_error,
    cross_entropy,
    deviation,
    folds,
    logits,
    temperature,
)
from plain_detector import Detector, detector
from plain_model import Engine, Model
from plain_stages import NOTHING_STATED, Head, Options, Stage, rates, stages

from sartor.contract.manifest import Manifest

__all__ = [
    "Result", "Training", "errors", "expected_accuracy", "fit", "held_out_loss", "held_out_values",
    "imprint", "search_rate",
]  # fmt: skip

FIRST_BATCHES = 16  # that decide on the learning rate
RETRIES = 3  # with a lower learning rate


@dataclass
class Training:
    """One training, in stages."""

    model: Model
    rows: Rows
    seed: int
    options: Options = NOTHING_STATED
    warm: bool = False
    held_out: Rows | None = None  # for patience
    epochs: int = 0  # of the last stage
    numbers: Numbers = field(init=False)
    mixed: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.mixed = self.rows.where(self.rows.mixed(self.model.manifest.batch_size, self.seed))
        self.start()

    def start(self) -> None:
        """Set the variables that the training starts from."""
        self.numbers = Numbers(self.seed)
        if self.warm:
            return
        model, rows, b = self.model, self.rows, self.model.manifest.batch_size
        model.engine.restore(model.engine.initial_variables())
        model.set(temperature=1.0)
        for c in range(model.manifest.capacity):
            if model.has_weights(c):
                model.set_class(c, rows.features[:0], active=False)
        model.deactivate_all()
        model.set_class(None, self.mixed.features, active=True)
        for c in range(rows.targets.shape[1]):
            part = rows.of_class(c)[:b]
            if len(part):
                model.set_class(c, rows.features[part], active=True)

    @property
    def stages(self) -> list[Stage]:
        """The stages of the training; the model has to hold its normalization."""
        rows, manifest = self.rows, self.model.manifest
        return stages(
            Head.of(manifest),
            self.options.or_of(manifest),
            batches=self._first_batches(),
            rows=len(rows),
            effective=rows.effective,
            classes=rows.targets.shape[1],
            target_rms=rows.target_rms,
            warm=self.warm,
        )

    def _first_batches(self) -> list[tuple[Floats, Floats]]:
        """Return rows z and weights of the first batches; the model holds the normalization."""
        rows, b = self.rows, self.model.manifest.batch_size
        z, w = self.model.normalized(rows.features), rows.weights.reshape(len(rows), -1).sum(axis=1)
        order = Numbers(self.seed).permutation(len(rows))
        parts = np.array_split(order, math.ceil(len(rows) / b))
        return [(z[part], w[part]) for part in parts[:FIRST_BATCHES]]

    def first_stage(self) -> None:
        """Run stage 0, if necessary with a lower peak, which the options then state."""
        peak, rows = self.stages[0].peak, self.mixed
        weights = self.rows.weights[self.rows.mixed(len(rows), self.seed)]
        is_stated = self.options.or_of(self.model.manifest).learning_rate is not None
        for _ in range(1 if is_stated else 1 + RETRIES):
            self.start()
            before = self.model.loss(rows, weights)
            self.stage(0)
            limit = max(1.2 * before, 0.9 * self._loss_of_chance())
            after, variables = self.model.loss(rows, weights), self.model.engine.variables()
            if all(np.isfinite(each).all() for each in variables.values()) and after <= limit:
                return
            peak /= 8
            self.options = replace(self.options, learning_rate=peak)
        raise ArithmeticError("the training diverges")

    def _loss_of_chance(self) -> float:
        rows = self.rows
        if rows.single:
            return math.log(max(2, rows.targets.shape[1]))
        return rows.target_rms**2 if rows.regression else math.log(2)

    def stage(self, s: int) -> None:
        """Run stage s from the present variables."""
        stage = self.stages[s]
        if stage.weight_decay is not None:
            self.model.set(weight_decay=stage.weight_decay)
        of_steps = rates(stage.peak, stage.steps)
        self.steps(self.rows, self.rows.weights, of_steps, stage.batches)

    def steps(self, rows: Rows, weights: Floats, rates: list[float], batches: int) -> None:
        """Run steps on rows: one for each rate, or until the patience ends."""
        remaining, rows = iter(rates), rows.smoothed
        losses, best, held_out = list[float](), {}, self.held_out
        for self.epochs in range(1, 1 + len(rates) // batches):
            for part in np.array_split(self.numbers.permutation(len(rows)), batches):
                self.model.train(rows.where(part), weights[part], next(remaining))
            if held_out is None:
                continue
            losses.append(self.model.loss(held_out, held_out.weights))
            lowest = int(np.argmin(losses))
            if lowest == len(losses) - 1:
                best = self.model.engine.variables()
            if len(losses) - 1 - lowest == self.options.patience:
                break
        if best:
            self.model.engine.restore(best)


@dataclass(frozen=True)
class Result:
    """A trained model.

    Attributes:
        masks: the rows that each fold holds out.
        last: the last stage.
        losses: loss of the held-out outputs of each stage.
        outputs: held-out outputs of the last stage, [N, K].
        options: the options, with a peak that was searched or lowered.
        expected_accuracy, calibration_error: None if nothing is held out.
    """

    variables: dict[str, np.ndarray]
    masks: list[Mask]
    last: int
    losses: list[float]
    temperature: float
    outputs: Floats
    options: Options
    expected_accuracy: float | None = None
    calibration_error: float | None = None
    detector: Detector | None = None


def fit(
    engine: Engine, manifest: Manifest, rows: Rows, seed: int, options: Options = NOTHING_STATED
) -> Result:
    """Train the file on rows."""
    if manifest.head.feature_norm is None and options.learning_rate is None:
        rate = search_rate(Training(Model(engine, manifest), rows, seed, options))
        options = replace(options, learning_rate=rate)
    held_out = None
    if options.patience:
        mask = folds(rows, seed)[0]
        rows, held_out = rows.where(~mask), rows.where(mask)
    masks = [] if manifest.task == "regression" else folds(rows, seed)
    model = Model(engine, manifest)
    training = Training(model, rows, seed, options, held_out=held_out)
    training.first_stage()
    if held_out is not None:
        training.options = replace(training.options, epochs=training.epochs, patience=None)
    outputs, last, losses = _validate(training, masks)
    for s in range(1, last + 1):
        training.stage(s)
    result = Result(engine.variables(), masks, last, losses, 1.0, outputs, training.options)
    if manifest.task == "regression":
        return result
    held, single = np.any([*masks, np.zeros(len(rows), bool)], axis=0), rows.single
    t = 0.4 * deviation(model.outputs(rows)) or 1.0
    if masks:
        t = temperature(*held_out_values(rows, outputs, held), t, single=single)
    model.set(temperature=t)
    accuracy = error = ood_detector = None
    if masks and (not single or rows.targets.shape[1] > 1):
        accuracy = expected_accuracy(rows, masks, outputs)
    if single:
        outputs = activation(logits(outputs, single=True) / t, single=True)
        ood_detector = detector(rows, masks, outputs)
        if accuracy is not None:
            error = calibration_error(outputs[held], rows.labels[held])
    return replace(
        result, variables=engine.variables(), temperature=t, expected_accuracy=accuracy,
        calibration_error=error, detector=ood_detector,
    )  # fmt: skip


def _validate(training: Training, masks: list[Mask]) -> tuple[Floats, int, list[float]]:
    """Return the held-out outputs [N, K] of the last stage, its number, and all losses."""
    rows, model = training.rows, training.model
    best, losses = np.zeros(rows.targets.shape), list[float]()
    if not masks:
        return best, 0, losses
    trainings = [
        Training(
            Model(model.engine.copy(), model.manifest), rows.where(~mask), training.seed,
            training.options,
        )
        for mask in masks
    ]  # fmt: skip
    for s in range(len(training.stages)):
        outputs = np.zeros(rows.targets.shape)
        for fold, mask in zip(trainings, masks, strict=True):
            fold.stage(s)
            outputs[mask] = fold.model.outputs(rows.where(mask))
        held = np.any(masks, axis=0)
        if not errors(rows, outputs, held).any():
            return outputs, s, losses
        losses.append(held_out_loss(rows, outputs, held))
        if s > 0 and losses[s - 1] - losses[s] < 0.01 + 0.02 * losses[s]:
            return best, s - 1, losses
        best = outputs
    return best, len(losses) - 1, losses


def held_out_loss(rows: Rows, outputs: Floats, held: Mask) -> float:
    """Return the loss of held-out outputs at the temperature that fits them."""
    z, y, w = held_out_values(rows, outputs, held)
    t = temperature(z, y, w, 1.0, single=rows.single)
    return cross_entropy(z / t, y, w, single=rows.single)


def held_out_values(rows: Rows, outputs: Floats, held: Mask) -> tuple[Floats, Floats, Floats]:
    """Return logits, targets and weights of the held-out rows."""
    targets, f = rows.targets[held], rows.fractions[held][:, None]
    z = logits(outputs[held], single=rows.single)
    return z, np.nan_to_num(targets), f if rows.single else f * ~np.isnan(targets)


def expected_accuracy(rows: Rows, masks: list[Mask], outputs: Floats) -> float:
    """Return the expected accuracy by held-out outputs."""
    held = np.any(masks, axis=0)
    p = 1 - held.sum() / len(rows) / len(masks)
    return float(1 - errors(rows, outputs, held).mean() * p ** (1 / 3))


def errors(rows: Rows, outputs: Floats, held: Mask) -> Mask:
    """Return whether each held-out row is wrong; of several labels, each target that is there."""
    if rows.single:
        return np.asarray(outputs.argmax(axis=1) != rows.labels)[held]
    wrong = (outputs > 0.5) != (rows.targets > 0.5)
    return np.asarray(wrong[held][~np.isnan(rows.targets[held])])


def search_rate(training: Training) -> float:
    """Return the peak for a head without `feature_norm`."""
    model, rows = training.model, training.rows
    b, adaptive = model.manifest.batch_size, model.manifest.optimizer.step.adaptive
    few = rows.mixed(4 * b, training.seed)
    weights, part = rows.weights[few], rows.where(few)
    batches = math.ceil(len(few) / b)
    default = training.stages[0].peak
    before = lowest = model.loss(part, weights)
    rate, good, misses = max(0.1 if adaptive else 1.0, 16 * default), 0.0, 0
    for _ in range(14):
        training.start()
        training.steps(part, weights, [rate] * math.ceil(20 / batches) * batches, batches)
        loss = model.loss(part, weights)
        loss = loss if math.isfinite(loss) else math.inf
        if loss < lowest + (0.01 * before if good else 0):
            lowest, good, misses = min(lowest, loss), rate, 0
        elif good:
            misses += 1
        if misses == 2:
            break
        rate /= 4
    training.start()
    return good / 2 or default


def imprint(engine: Engine, manifest: Manifest, rows: Rows) -> dict[str, np.ndarray]:
    """Imprint all classes of a classification, and return the variables."""
    model, count = Model(engine, manifest), rows.targets.shape[1]
    means = np.stack([rows.features[rows.of_class(c)].mean(axis=0) for c in range(count)])
    for c in range(count):
        model.set_class(c, means[c : c + 1], active=True)
    first = means[: manifest.batch_size]
    outputs = model.outputs(Rows(first, np.eye(count)[: len(first)], np.arange(len(first)), True))
    before = float(engine.variables()["temperature"][0])
    model.set(temperature=0.4 * before * deviation(outputs) or 1.0)
    return engine.variables()
