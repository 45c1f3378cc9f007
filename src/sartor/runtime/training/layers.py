"""The training of tuned layers: after the head, and kept unless held-out samples lose.

The head is trained first, on features that the layers compute once. The layers then start from a
good head, and a few steps are enough: they gain up to eleven points of accuracy on small pictures,
digits and spoken words, and up to four on photos like those of the base (docs/benchmarks.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...contract.names import OPTIMIZER_STATE, TEMPERATURE
from ...errors import DataError, StoreError, TrainingError
from ...litert import head_engine
from ..confidence.cross_validation import HeldOutOutputs
from ..data.head_rows import head_rows
from ..data.tasks import TASKS, accuracy
from ..results.records import History
from ..store import SampleSet
from .config import TrainingConfig
from .control import Control
from .data import TrainingData, Variables
from .fit import HeadTraining, Publish, train_head
from .progress import Progress
from .rate_search import search_layer_rate
from .schedule import Schedule
from .staged import StagedTraining
from .trainer import EpochCallback, Trainer
from .training_model import TrainingModel
from .validation import Selection, Validation, validate

__all__ = ["LayerTraining"]

_MIN_STEPS, _EPOCHS, _MAX_STEPS = 120, 8, 600


@dataclass(frozen=True)
class _Evidence:
    """A training of the layers without one fold.

    Attributes:
        assigned: int64 [N]; the fold of the rows that were held out, −1 for the others.
        outputs: outputs for the rows that were held out.
        features: float32 [N, F]; features of all rows behind the layers of this training.
        is_better: whether the loss on them is lower than that of the head alone, or the accuracy
            is higher.
    """

    assigned: np.ndarray
    outputs: HeldOutOutputs
    features: np.ndarray
    is_better: bool


class LayerTraining:
    """One training of a file with tuned layers.

    Args:
        model: copy of the model, for training.
        config: options.
        control: pauses and stops the training.
        publish: called with each set of weights for predictions.
    """

    def __init__(
        self, model: TrainingModel, config: TrainingConfig, control: Control, publish: Publish
    ) -> None:
        self._model = model
        self._head = TrainingModel(
            head_engine(model.engine, model.manifest), model.manifest.of_head()
        )
        self._config = config
        self._control = control
        self._publish = publish
        rate = config.learning_rate
        self._rate = model.manifest.learning_rate if rate is None else rate

    def run(self, data: TrainingData, on_epoch: EpochCallback | None) -> History:
        """Train the head, then the layers with it; see `train_head`.

        A training that continues from earlier weights leaves the layers as they are.
        """
        self._model.engine.restore(data.variables if data.warm else self._model.untrained)
        data, head_data = self._behind_layers(data)
        if not len(data.samples):
            raise DataError("all training samples were deleted: add samples with add_sample first")
        trained = train_head(
            self._head, self._config, head_data, self._control, self._publish, on_epoch
        )
        if trained.history.stopped and not data.warm:
            self._keep_better(data, trained.variables)
        if self._config.depth == "head" or data.warm or trained.history.stopped:
            return trained.history
        try:
            return self._train_layers(data, head_data, trained, on_epoch)
        except (TrainingError, StoreError) as error:
            warning = f"the tuned layers were not trained: {error}"
            return replace(trained.history, warnings=(*trained.history.warnings, warning))

    def _keep_better(self, data: TrainingData, variables: Variables) -> None:
        """Publish the weights before the training again if their loss is not higher.

        The training of the head has compared them on features behind the initial layers.
        """
        samples, losses = self._model.training_samples(data), []
        for each in (variables, data.variables):
            self._model.engine.restore(each)
            losses.append(self._model.evaluate(samples)[0])
        if losses[1] <= losses[0]:
            self._publish(data.variables, data.detector)

    def _behind_layers(self, data: TrainingData) -> tuple[TrainingData, TrainingData]:
        """Return the data, and with the features that the present layers compute.

        Both are without the samples that were deleted from the store meanwhile.
        """
        behind, rows = self._features(data.samples)
        data = replace(data, samples=data.samples.take(rows))
        head_data = replace(data, samples=behind.take(rows))
        if data.held_out is None:
            return data, head_data
        behind, rows = self._features(data.held_out)
        if not rows.any():
            raise DataError(
                "all held-out samples were deleted: add some, or train without patience"
            )
        data = replace(data, held_out=data.held_out.take(rows))
        return data, replace(head_data, held_out=behind.take(rows))

    def _features(self, samples: SampleSet) -> tuple[SampleSet, np.ndarray]:
        """Return samples with the features behind the present layers, and which are still stored.

        Returns:
            N rows, and bool [N]. The features of deleted samples are those of zeros.
        """
        behind = replace(samples, features=head_rows(self._head.engine, samples.features))
        return behind, samples.present()

    def _train_layers(
        self,
        data: TrainingData,
        head_data: TrainingData,
        trained: HeadTraining,
        on_epoch: EpochCallback | None,
    ) -> History:
        progress = Progress(on_epoch, trained.history.epochs)
        is_auto = self._config.depth == "auto"
        control = self._control.limited()
        evidence = self._hold_out(data, head_data, trained, control, progress)
        is_refused = is_auto and (evidence is None or not evidence.is_better)
        if is_refused or progress.stopped or control.stopped:
            return self._head_history(trained, control, progress)
        control = self._control.limited()
        trainer = self._trainer(data, control)
        self._model.engine.restore(self._start(trained.variables))
        before = self._training_accuracy(data) if is_auto else 0.0
        trainer.run(self._schedule(data, control), progress.next_part())
        is_refused = is_auto and self._training_accuracy(data) < before  # the rate was too high
        if is_refused or trainer.stopped:
            return self._head_history(trained, control, progress)
        variables = self._model.variables(data)
        validation = self._validate(data, trained, evidence)
        self._publish({**variables, **validation.variables}, validation.detector)
        history = trainer.history
        return History(
            tuple(progress.epochs),
            trained.history.steps + history.steps,
            trained.history.samples,
            expected_accuracy=validation.accuracy,
            calibration_error=validation.calibration_error,
            warnings=validation.warnings,
            depth="layers",
        )

    def _head_history(self, trained: HeadTraining, control: Control, progress: Progress) -> History:
        """Return the history of a training that keeps the head and the initial layers."""
        warnings = trained.history.warnings
        if control.expired:
            warnings = (
                *warnings,
                "there was no time to train the tuned layers. Train for more than "
                f"{self._config.seconds:g} s",
            )
        stopped = progress.stopped or self._control.stopped
        epochs = tuple(progress.epochs)
        return replace(trained.history, epochs=epochs, stopped=stopped, warnings=warnings)

    def _training_accuracy(self, data: TrainingData) -> float:
        """Return the accuracy of the present weights on the training samples."""
        samples, task = self._model.training_samples(data), TASKS[self._model.manifest.task]
        outputs = self._model.evaluate(samples)[1]
        return accuracy(task, outputs, samples.targets, samples.weights)

    def _hold_out(
        self,
        data: TrainingData,
        head_data: TrainingData,
        trained: HeadTraining,
        control: Control,
        progress: Progress,
    ) -> _Evidence | None:
        """Train head and layers without one fold; return None if that is not possible."""
        selection = trained.selection
        if selection is None or not selection.held_out.rows.any():
            return None
        fold = int(selection.assigned[selection.assigned >= 0].min())
        rows = selection.assigned == fold
        if not self._train_without(rows, data, head_data, trained, control, progress):
            return None
        samples = self._head.dataset(head_data, head_data.samples)
        outputs = np.zeros_like(samples.targets)
        held_out = self._model.dataset(data, data.samples.take(rows))
        outputs[rows] = self._model.evaluate(held_out)[1]
        behind, stored = self._features(data.samples)
        assigned = np.where(rows & stored, fold, -1)
        if (assigned < 0).all():
            return None
        tuned = HeldOutOutputs(assigned, outputs)
        head = HeldOutOutputs(assigned, selection.held_out.outputs)
        manifest = self._head.manifest
        is_better = tuned.loss(manifest, samples) < head.loss(manifest, samples) or (
            tuned.accuracy(manifest, samples) > head.accuracy(manifest, samples)
        )
        return _Evidence(assigned, tuned, behind.features[0], is_better)

    def _train_without(
        self,
        rows: np.ndarray,
        data: TrainingData,
        head_data: TrainingData,
        trained: HeadTraining,
        control: Control,
        progress: Progress,
    ) -> bool:
        """Train the head, then layers and head, without some rows; return whether it ended."""
        training = StagedTraining(self._head, trained.config, head_data.part(~rows), control)
        for _ in range(trained.selection.stages if trained.selection else 0):
            training.run()
        part = data.part(~rows)
        self._model.engine.restore(self._start(self._model.engine.variables()))
        trainer = self._trainer(part, control)
        schedule = self._schedule(part, control)
        trainer.run(schedule, progress.next_part(later=self._epochs(data)))
        return not (training.stopped or trainer.stopped)

    def _validate(
        self, data: TrainingData, trained: HeadTraining, evidence: _Evidence | None
    ) -> Validation:
        """Validate the present weights by the outputs of the training without a fold.

        The layers have seen all samples, so the threshold of the OOD detector follows from the
        features behind the layers of the other training.
        """
        selection = trained.selection
        if selection is None:
            return Validation(None)
        if evidence is not None:
            selection = Selection(selection.stages, evidence.assigned, evidence.outputs)
        samples, rows = self._features(data.samples)
        if not rows.any():
            return Validation(None)
        return validate(
            self._head,
            replace(data, samples=samples.take(rows), held_out=None),
            selection.take(rows),
            self._config,
            [evidence.features[rows]] if evidence is not None else None,
        )

    def _start(self, variables: Variables) -> Variables:
        """Return weights with the initial state of the optimizer, and temperature 1."""
        specs = self._model.manifest.variables
        states = {each.name for each in specs if each.role == OPTIMIZER_STATE} | {TEMPERATURE}
        initial = self._model.untrained
        return {
            name: initial[name] if name in states else value for name, value in variables.items()
        }

    def _trainer(self, data: TrainingData, control: Control) -> Trainer:
        model, config = self._model, self._config
        held_out = None if data.held_out is None else model.dataset(data, data.held_out)
        return Trainer(
            model.engine, model.manifest, model.training_samples(data), control, config.seed,
            held_out, config.patience,
        )  # fmt: skip

    def _schedule(self, data: TrainingData, control: Control) -> Schedule:
        """Return the schedule of a training that starts from the present weights."""
        model, config = self._model, self._config
        if self._rate is None:
            samples = model.training_samples(data)
            self._rate = search_layer_rate(model, samples, control, config.seed)
        return Schedule(self._epochs(data), self._batches(data), self._rate, config.decay)

    def _epochs(self, data: TrainingData) -> int:
        batches = self._batches(data)
        steps = min(max(_MIN_STEPS, _EPOCHS * batches), _MAX_STEPS)
        return self._config.epochs or math.ceil(steps / batches)

    def _batches(self, data: TrainingData) -> int:
        return math.ceil(len(data.samples) / self._model.manifest.batch_size)
