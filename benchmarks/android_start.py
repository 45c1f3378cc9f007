"""The first prediction in a fresh process, the start of the app, and the memory of the library.

Library and app run in a desktop JVM, on the genuine Android x86_64 library of TFLite and the SQLite
of Robolectric (`android/tools`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import sartor

from .harness import Report, main
from .kotlin import output_of

_TITLE = "Android: the first prediction in a fresh process, the start of the app, and memory"
_CLASSES, _SAMPLES, _PHOTO = 10, 80, (480, 640, 3)
_ROUNDS = 3
_APP_ROUNDS = 5
_STARTS = {
    "open": "open a model with 80 samples",
    "first": "the first `predict`, 640 x 480",
    "second": "the second `predict`",
}
_APP_STARTS = {
    ("first", "preview"): "first start of the app: a frame in the preview",
    ("first", "ready"): "– classes to record",
    ("again", "preview"): "start of the app with 80 samples: a frame in the preview",
    ("again", "ready"): "– the first class and its confidence",
}
_STAGES = {
    "open": "open",
    "predict": "predict a photo",
    "hold": "add 1,000 samples",
    "train": "train ten classes",
    "close": "close",
}
_PYTHON = """
import sys, time
import numpy as np
def times(task):
    start = time.perf_counter(), time.process_time()
    value = task()
    return value, time.perf_counter() - start[0], time.process_time() - start[1]
path, store, shape = sys.argv[1], sys.argv[2], [int(each) for each in sys.argv[3].split(",")]
frame = np.random.default_rng(0).integers(0, 128, shape).astype(np.uint8)
from sartor.runtime import PersonalModel
model, *spent = times(lambda: PersonalModel(path, store=store, threads=1))
print("RESULT open", *spent)
for name in ("first", "second"):
    _, *spent = times(lambda: model.predict(frame))
    print("RESULT", name, *spent)
model.close()
"""

_Results = dict[str, list[float]]
"""Name → numbers."""


def run() -> Report:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = folder / "model.tflite"
        sartor.convert("starter", classes=_CLASSES).save(model)
        try:
            output_of("Start", model, folder / "kotlin", "prepare")
            output_of("AppStart", model, folder / "app", "prepare")
        except RuntimeError as error:
            return Report(_TITLE, [""], [], notes=[f"Missing: {error}"])
        _prepare(model, folder / "python.sartor")
        candidates: dict[str, Callable[[], _Results]] = {
            "Python": partial(_python, model, folder / "python.sartor"),
            "Kotlin": partial(_kotlin, model, folder / "kotlin", "start"),
        }
        rounds = [{name: start() for name, start in candidates.items()} for _ in range(_ROUNDS)]
        app = {
            kind: [
                _results(output_of("AppStart", model, folder / "app", kind))
                for _ in range(_APP_ROUNDS)
            ]
            for kind in ("first", "again")
        }
        memory = _kotlin(model, folder / "kotlin", "memory")
    return Report(
        _TITLE,
        ["", "Python", "Kotlin"],
        [*_start_rows(rounds), *_app_rows(app), *_memory_rows(memory)],
        notes=[
            f"Each start is a process of its own, by turns; medians of {_ROUNDS}: time, and CPU "
            "time. NumPy, the JVM and Robolectric with its SQLite were loaded before; nothing of "
            "Sartor and LiteRT was, so `open` contains their imports. A JVM interprets new code "
            "first, and most of its CPU time here compiles it; an installed app is compiled "
            "already.",
            f"The app starts in a process of its own too; medians of {_APP_ROUNDS}, from the "
            "creation of its activity. Robolectric runs it, and has shown another activity before. "
            "A source gives 30 frames of 480 x 480 pixels a second, from the start of the camera. "
            "A frame counts when the screen, drawn into a bitmap, contains it. The preview does "
            "not wait for the model; the process computes both at the same time, so that the CPU "
            "time of the preview contains a part of the other. Robolectric also changes the code "
            "of each class of Android and of the app when it is loaded, and the processor draws "
            "the screen: of a device, these times say nothing. They compare versions of the app.",
            "Memory: Java objects in use after a collection, and what the process has outside of "
            "them, above the state before `open`: LiteRT, its weights and buffers, SQLite, and the "
            "code of both and of the JVM's compiler. The heap has a fixed size, all of which is "
            "resident. 1 MB is 10⁶ bytes. A model file is mapped: its pages count once they are "
            "read. `add` stores samples with given features on a disk.",
            "Not measured: the start of the installed app on a device, its process with the "
            "views, bitmaps and camera buffers, and ART.",
        ],
        data={"starts": rounds, "app": app, "memory": memory},
    )


def _start_rows(rounds: list[dict[str, _Results]]) -> list[list[str]]:
    return [
        [text, *(_times([each[name][key] for each in rounds]) for name in ("Python", "Kotlin"))]
        for key, text in _STARTS.items()
    ]


def _app_rows(app: dict[str, list[_Results]]) -> list[list[str]]:
    return [
        [text, "", _times([each[name] for each in app[kind]])]
        for (kind, name), text in _APP_STARTS.items()
    ]


def _times(spent: list[list[float]]) -> str:
    seconds, cpu = (median(each[kind] for each in spent) for kind in (0, 1))
    return f"{1e3 * seconds:.0f} ms ({1e3 * cpu:.0f} ms CPU)"


def _memory_rows(memory: _Results) -> list[list[str]]:
    java, resident, _ = memory["start"]
    rows = [
        [
            f"memory after: {text}",
            "",
            f"{(memory[stage][0] - java) / 1e6:+.1f} MB Java, "
            f"{(memory[stage][1] - resident) / 1e6:+.0f} MB outside",
        ]
        for stage, text in _STAGES.items()
    ]
    peak = max(numbers[2] for numbers in memory.values()) - resident
    return [*rows, ["peak outside of Java", "", f"{peak / 1e6:+.0f} MB"]]


def _prepare(model: Path, store: Path) -> None:
    import numpy as np

    with sartor.PersonalModel(model, store=store) as opened:
        for number in range(_SAMPLES):
            noise = np.random.default_rng(number).integers(0, 128, _PHOTO)
            photo = (40 * (number % 4) + noise).astype(np.uint8)
            opened.add_sample(photo, f"class {number % 4}")


def _python(model: Path, store: Path) -> _Results:
    command = [sys.executable, "-c", _PYTHON, str(model), str(store), ",".join(map(str, _PHOTO))]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return _results(run.stdout)


def _kotlin(model: Path, folder: Path, task: str) -> _Results:
    return _results(output_of("Start", model, folder, task))


def _results(output: str) -> _Results:
    lines = [line.split() for line in output.splitlines() if line.startswith("RESULT ")]
    return {name: [float(each) for each in numbers] for _, name, *numbers in lines}


if __name__ == "__main__":
    main(run)
