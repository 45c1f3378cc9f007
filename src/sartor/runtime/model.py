"""The model on the device: add samples, train, predict, save."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .._arguments import as_path, check_list
from .._files import FilePath
from ..errors import DataError
from ..modalities import Sample, prepare
from .data.tasks import Label
from .embedding import check_classes, embed_samples, stored_samples
from .project import export_project, import_project, save_checkpoint
from .results.evaluation import Evaluator
from .results.html import model_html
from .results.records import Evaluation, History, Prediction, Predictions
from .samples import SampleCollection
from .saved.checkpoint import read_checkpoint
from .state import ModelState
from .store import SampleStore, StoredSample
from .training.config import TrainingConfig
from .training.job import TrainingJob, TrainingJobs
from .training.trainer import EpochCallback

__all__ = ["PersonalModel"]


class PersonalModel:
    """A personalizable file that learns classes from samples on this device.

    Every method may be called from any thread. Predictions continue to work during training, with
    the last published weights. Use the model in a `with` block, or close it.

    Args:
        path: path of a personalizable file; `sartor.convert` writes one.
        store: path of the sample store (SQLite). A new one is created. Default: in memory.
        threads: number of threads of one prediction. Default: 2, or 1 on a single core.
        thumbnails: whether to store a thumbnail of each sample. Default: False.
        photos: whether to store the photo of each sample, for `reembed`. Default: False.
        max_samples: largest number of samples. A full store evicts samples. Default: no limit.
        max_bytes: largest size of all samples, in bytes. Default: no limit.

    Raises:
        InvalidModelError: If the model file does not exist or is damaged.
        NotPersonalizableError: If the model cannot be trained.
        StoreError, OSError: If the store is damaged, of another base, or cannot be opened.
        DataError: If the samples have more classes than the model has capacity for.
    """

    def __init__(
        self, path: FilePath, *, store: FilePath | None = None, threads: int | None = None,
        thumbnails: bool = False, photos: bool = False, max_samples: int | None = None,
        max_bytes: int | None = None,
    ) -> None:  # fmt: skip
        self.path = as_path(path, "path")
        self._state = ModelState(self.path, threads)
        self.manifest = self._state.manifest
        samples = SampleStore(store, self.manifest, max_samples=max_samples, max_bytes=max_bytes)
        self._samples = SampleCollection(
            samples, self._state, self.manifest, thumbnails=thumbnails, photos=photos
        )
        self._jobs = TrainingJobs(self.manifest, self._samples, self._state)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes (of the target values, for regression), by class index."""
        return tuple(self._state.class_indices)

    @property
    def capacity(self) -> int:
        """Largest number of classes."""
        return self.manifest.capacity

    @property
    def samples(self) -> tuple[StoredSample, ...]:
        """All samples, in the order in which they were added."""
        return self._samples.store.samples()

    def check_capacity(self, labels: Iterable[str]) -> None:
        """Raise DataError unless the model has a class index for each of these classes."""
        self._samples.check_capacity(labels)

    def check_classes(self, labels: Iterable[str]) -> None:
        """Raise DataError unless the model has these classes."""
        self._samples.follow_store()
        check_classes(labels, self.classes)

    def add_sample(
        self, image: Sample, label: Label, *, source: str | None = None, held_out: bool = False,
        augment: int = 0,
    ) -> int:  # fmt: skip
        """Add a sample: store its features, and imprint its class unless it is trained.

        A new class can be predicted at once. A sample that is stored already is not added again.

        Args:
            image: input; see `predict`.
            label: name of the class. For several labels per sample: the names of all labels that
                apply, or a mapping name → bool, which leaves other labels unknown. For regression:
                a mapping name → number.
            source: name of the sample in the app, such as an asset ID. Default: from its content.
            held_out: whether to use the sample to measure, and never to train. Default: False.
            augment: number of augmentations to train on as well. Default: 0.

        Returns:
            The number of the sample, for `forget`.

        Raises:
            DataError, OSError: If the image or label does not fit the model, no class is free, the
                sample has another label, or a file cannot be read; nothing is changed.
        """
        return self._samples.add(image, label, source, held_out, augment)

    def find(self, image: Sample, *, source: str | None = None) -> StoredSample | None:
        """Return the sample with this image or this `source`, or None."""
        return self._samples.find(image, source)

    def forget(self, *samples: int) -> None:
        """Delete samples for good, and stop a running training.

        Trained weights still depend on them until the next `fit`. Imprinted classes are imprinted
        again from their other samples, and classes without samples are removed. A warning says
        if bytes cannot be overwritten yet.

        Args:
            samples: numbers of the samples, as `add_sample` and `samples` return them.

        Raises:
            DataError, OSError: If a number is unknown or the store cannot be written.
        """
        with self._jobs.exclusive():
            self._samples.forget(samples)

    def remove_class(self, label: str) -> None:
        """Delete a class and its samples for good; see `forget`."""
        with self._jobs.exclusive():
            self.check_classes([label])
            self._samples.remove_class(label)

    def rename_class(self, label: str, name: str) -> None:
        """Rename a class; raise DataError if it does not exist or the name is in use."""
        with self._samples.lock:
            self.check_classes([label])
            self._samples.rename_class(label, name)

    def predict(self, image: Sample) -> Predictions:
        """Predict the class of an image.

        Args:
            image: a path, bytes, a binary file, a PIL image, pixels (0…255, or floats 0…1), or an
                array of the input's shape. For several inputs: a mapping from their names.

        Returns:
            All classes, the most probable first. `best` is None if the image resembles none.

        Raises:
            DataError, OSError: If the image does not fit the model or cannot be read, or the model
                is a regression.
        """
        if self.manifest.task == "regression":
            raise DataError("the model predicts numbers, not classes: call predict_values")
        outputs, in_distribution = self._state.predict(prepare(self.manifest.inputs, image))
        return Predictions((Prediction(*each) for each in outputs.items()), in_distribution)

    def predict_many(self, images: Iterable[Sample]) -> list[Predictions]:
        """Return the predictions for a list of images, or an array [N, …]; see `predict`."""
        check_list(images, "images")
        return [self.predict(image) for image in images]

    def predict_values(self, image: Sample) -> dict[str, float]:
        """Return name → output: a number for regression, a probability otherwise; see `predict`."""
        return self._state.predict(prepare(self.manifest.inputs, image))[0]

    def evaluate(self, samples: Iterable[tuple[Sample, Label]] | None = None) -> Evaluation:
        """Measure the accuracy and the loss.

        Args:
            samples: pairs (image, label), preferably not used in training; may be a generator.
                Default: the held-out samples, or all samples if none is held out.

        Raises:
            DataError, OSError: If there is no sample, or one does not fit or cannot be read.
        """
        with self._samples.lock:
            pairs = (
                stored_samples(self._samples.evaluation_set())
                if samples is None else embed_samples(self._state, self.manifest, samples)
            )  # fmt: skip
            evaluator = Evaluator(self._state.engine, self.manifest, self._state.class_indices)
        for features, targets in pairs:
            evaluator.add(features, targets)
        return evaluator.result()

    def fit(
        self, epochs: int | None = None, on_epoch: EpochCallback | None = None, *,
        seconds: float | None = None, patience: int | None = None,
        learning_rate: float | None = None, weight_decay: float | None = None,
        decay: str = "cosine", warm_start: bool = False, seed: int = 0, depth: str = "auto",
    ) -> History:  # fmt: skip
        """Train from scratch on all samples, with equal weight for each class.

        Cross-validation chooses the weight decay, calibrates the probabilities, and sets the
        threshold for out-of-distribution inputs. If a class has weights but no samples (a
        checkpoint brought it), training continues from the present weights instead.

        Args:
            epochs: number of epochs; of tuned layers again. Default: depends on the number of
                samples.
            on_epoch: called with an `Epoch` after each epoch, in the thread of the training;
                returning False stops the training. Default: None.
            seconds: time limit of the whole training: the epochs get half of it, and
                cross-validation the other half; of tuned layers, each of four parts a quarter.
                Default: no limit.
            patience: number of epochs without improvement on held-out samples that ends the
                training. The best weights are kept. Without held-out samples, a third of each
                class is held out for this training. Default: no early stopping.
            learning_rate: learning rate of the first step. Default: depends on the features.
            weight_decay: weight decay. Default: cross-validation chooses it, unless `epochs`,
                `seconds` or `patience` limit the training.
            decay: decay of the learning rate: `cosine`, `linear` or `constant`. Default: `cosine`.
            warm_start: whether to continue from the present weights. Default: False.
            seed: random seed. The same seed gives the same weights if `seconds` is None.
            depth: what to train: `head`, or `layers` for the tuned layers too (see `FineTune`).
                Default: `auto`, the layers unless they are worse on held-out samples.

        Raises:
            DataError: If there are no samples, or an argument is out of range.
            TrainingError: If a training is running, or the loss rises; the weights stay.
        """
        config = TrainingConfig(
            epochs, seconds, patience, learning_rate, weight_decay, decay, warm_start, seed, depth
        )
        return self._jobs.run(config, on_epoch)

    def start_training(
        self, epochs: int | None = None, on_epoch: EpochCallback | None = None, *,
        seconds: float | None = None, patience: int | None = None,
        learning_rate: float | None = None, weight_decay: float | None = None,
        decay: str = "cosine", warm_start: bool = False, seed: int = 0, depth: str = "auto",
    ) -> TrainingJob:  # fmt: skip
        """Start `fit` in the background, with its arguments; return a job to pause, stop or await.

        On Linux and Android its thread has a lower priority, so that a live preview stays smooth.
        Errors after the start are raised by `TrainingJob.wait`.
        """
        config = TrainingConfig(
            epochs, seconds, patience, learning_rate, weight_decay, decay, warm_start, seed, depth
        )
        return self._jobs.start(config, on_epoch, background=True)

    def stop(self) -> None:
        """Stop a running training after its present step; see `TrainingJob.stop`."""
        self._jobs.stop()

    def save(self, path: FilePath, *, force: bool = False) -> Path:
        """Write a checkpoint (safetensors) atomically, and return its path.

        Raises:
            OutputError: If it would replace another type of file (`force` allows it) or an input.
            OSError: If the file cannot be written; an old file stays.
        """
        return save_checkpoint(path, self.path, self._state, self._samples, force)

    def load(self, path: FilePath) -> tuple[str, ...]:
        """Replace weights and classes by a checkpoint; keep the samples, stop a running training.

        Return a message for each part that does not fit the model and was not loaded.

        Raises:
            CheckpointError, OSError: If it is damaged, of another model, or cannot be read.
        """
        with self._jobs.exclusive():
            messages = self._state.load(read_checkpoint(path), str(path))
            self._samples.imprint_stored_classes()
            return messages

    def export_project(self, path: FilePath, *, force: bool = False) -> Path:
        """Write model, weights and samples into one file and return its path; see `save`."""
        return export_project(path, self.path, self._state, self._samples, force)

    def import_project(self, path: FilePath) -> tuple[str, ...]:
        """Replace weights, classes and samples by those of a project; otherwise like `load`.

        Raises:
            SartorError, OSError: If a part is damaged or of another model; nothing is changed.
        """
        with self._jobs.exclusive():
            return import_project(as_path(path, "path"), self._state, self._samples)

    def close(self) -> None:
        """Stop a running training, and release memory and files. May be called again."""
        with self._jobs.exclusive():
            self._jobs.close()
            self._state.close()
            self._samples.store.close()

    def __enter__(self) -> PersonalModel:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        classes = f"{len(self.classes)} of {self.capacity} classes"
        return f"<PersonalModel {self.path}: {classes}, {len(self._samples)} samples>"

    def _repr_html_(self) -> str:
        """Return a table of the classes, for a notebook."""
        counts, images = self._samples.overview()
        return model_html(str(self.path), self.capacity, counts, images, self._state.history)
