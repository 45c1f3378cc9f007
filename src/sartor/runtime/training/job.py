"""Training jobs: one at a time, each in a thread of its own."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cached_property, partial

from ...contract.manifest import Manifest
from ...errors import DataError, TrainingError
from ..results.records import History
from ..samples import SampleCollection
from ..state import ModelState
from .config import TrainingConfig
from .control import Control
from .data import TrainingData
from .fit import train_head
from .layers import LayerTraining
from .trainer import EpochCallback
from .training_model import TrainingModel

__all__ = ["TrainingJob", "TrainingJobs"]

_NICENESS = 5  # with more, the thread may lose the processor while it holds Python's lock


class TrainingJob:
    """A training in a thread of its own: the result of `PersonalModel.start_training`.

    Every method may be called from any thread.

    Args:
        work: trains; it calls `control.wait` before each step.
        control: pauses and stops `work`.
    """

    def __init__(self, work: Callable[[], History], control: Control) -> None:
        self._work = work
        self._control = control
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._history: History | None = None
        self._error: BaseException | None = None

    @property
    def running(self) -> bool:
        """Whether the training has not ended. A paused training is running."""
        return not self._ended.is_set()

    @property
    def paused(self) -> bool:
        """Whether the training waits for `resume`."""
        return self.running and self._control.paused

    def pause(self) -> None:
        """Pause before the next step. Predictions continue to work."""
        self._control.pause()

    def resume(self) -> None:
        """Continue after `pause`."""
        self._control.resume()

    def stop(self) -> None:
        """End the training after the present step; its weights are kept if their loss is lower."""
        self._control.stop()

    def wait(self, timeout: float | None = None) -> History:
        """Wait until the training ends.

        Args:
            timeout: longest time to wait, in seconds. Default: no limit.

        Returns:
            The history of the training.

        Raises:
            TimeoutError: If the training has not ended in time; it continues.
            TrainingError: If the loss is no longer finite; the weights before the training stay.
            Exception: If the callback raised it.
        """
        self._check_thread()
        if not self._ended.wait(timeout):
            raise TimeoutError(f"the training has not ended after {timeout} s")
        if self._error is not None:
            raise self._error
        if self._history is None:
            raise TrainingError("the training ended without a result")
        return self._history

    def start(self, background: bool) -> TrainingJob:
        """Start the thread.

        Args:
            background: whether other threads have priority if the processor is busy.
        """
        thread = threading.Thread(
            target=self._run, args=(background,), name="sartor-training", daemon=True
        )
        thread.start()
        return self

    def stop_and_wait(self) -> None:
        """Stop the training and wait until it ends; an error of it is ignored."""
        self._check_thread()
        self.stop()
        self._ended.wait()

    def _check_thread(self) -> None:
        if self.running and self._thread is threading.current_thread():
            raise TrainingError(
                "a callback cannot wait for the end of its own training: return False to stop it"
            )

    def _run(self, background: bool) -> None:
        self._thread = threading.current_thread()
        if background:
            _lower_priority()
        try:
            self._history = self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()


class TrainingJobs:
    """The training jobs of one model; at most one runs at a time.

    Args:
        manifest: manifest of the model.
        samples: training samples; its lock guards the start of a job.
        state: receives the weights.
    """

    def __init__(self, manifest: Manifest, samples: SampleCollection, state: ModelState) -> None:
        self._manifest = manifest
        self._samples = samples
        self._state = state
        self._job: TrainingJob | None = None

    def start(
        self, config: TrainingConfig, on_epoch: EpochCallback | None, *, background: bool
    ) -> TrainingJob:
        """Start a training job.

        Raises:
            DataError: If there are no samples, or `on_epoch` is not a function.
            TrainingError: If a job is running.
        """
        if on_epoch is not None and not callable(on_epoch):
            raise DataError(f"on_epoch must be a function of an Epoch; got {on_epoch!r}")
        if config.depth == "layers" and self._manifest.layers is None:
            raise DataError(
                "depth must be 'auto' or 'head', got 'layers': the model has no tuned layers. "
                "Convert its base with --fine-tune (in Python: head=FineTune())"
            )
        control = Control(config.seconds_of_part(self._manifest))
        with self._samples.lock:
            if self._job is not None and self._job.running:
                raise TrainingError("a training is running: wait for it, or stop it")
            if not len(self._samples):
                raise DataError("there are no training samples: add samples with add_sample first")
            work = partial(self._train, config, control, on_epoch)
            self._job = TrainingJob(work, control)
            return self._job.start(background)

    def run(self, config: TrainingConfig, on_epoch: EpochCallback | None) -> History:
        """Run a training job to its end; stop it if this thread is interrupted."""
        job = self.start(config, on_epoch, background=False)
        try:
            return job.wait()
        except BaseException:  # also KeyboardInterrupt
            job.stop_and_wait()
            raise

    def stop(self) -> None:
        """End a running job after its present step."""
        job = self._job
        if job is not None:
            job.stop()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Stop a running job, and let no job start and no other thread change the model."""
        while True:
            job = self._job
            if job is not None:
                job.stop_and_wait()
            with self._samples.lock:
                if self._job is None or not self._job.running:
                    yield
                    return

    def close(self) -> None:
        """Release the memory."""
        if "_model" in vars(self):
            self._model.close()

    def _train(
        self, config: TrainingConfig, control: Control, on_epoch: EpochCallback | None
    ) -> History:
        """Train in the thread of a job."""
        data = TrainingData.collect(self._samples, self._state, config)
        publish = self._state.publish
        if self._manifest.layers is None:
            history = train_head(self._model, config, data, control, publish, on_epoch).history
        else:
            try:
                history = LayerTraining(self._model, config, control, publish).run(data, on_epoch)
            finally:
                self._samples.imprint_new_classes()
        self._state.history = history
        return history

    @cached_property
    def _model(self) -> TrainingModel:
        return TrainingModel(self._state.engine.copy(), self._manifest)


def _lower_priority() -> None:
    """Raise the niceness of this thread on Linux and Android; do nothing elsewhere."""
    if sys.platform in ("linux", "android"):
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a sandbox may refuse it
            niceness = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, niceness + _NICENESS)
