"""Several processes on one store: two add, one trains and removes a class.

    python sharing.py FOLDER MAX-SAMPLES

FOLDER contains a `model.tflite`; MAX-SAMPLES 0 is no limit. The results are printed as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path

import forks
from killed import MODEL, NAMES, STORE, sample

from sartor import PersonalModel
from sartor.errors import DataError
from sartor.modalities import identity_of_name

_COUNT = 60  # samples per process, of three classes
_TRAININGS = 4
_REMOVED = NAMES[0]


def open_model(folder: Path, max_samples: int) -> PersonalModel:
    """Open a model on the shared store."""
    return PersonalModel(folder / MODEL, store=folder / STORE, max_samples=max_samples or None)


def add(folder: Path, max_samples: int, first: int) -> str:
    """Add samples of three groups, and return the acknowledged sources."""
    sources = []
    with open_model(folder, max_samples) as model:
        for number in range(_COUNT):
            group = first + number % 3
            source = f"{group}.{number}"
            model.add_sample(sample(source), NAMES[group], source=source)
            sources.append(source)
            model.predict(sample(source))
            assert not max_samples or len(model.samples) <= max_samples
    return json.dumps(sources)


def train(folder: Path, max_samples: int) -> str:
    """Train, remove a class once, and return the numbers of training samples."""
    sizes: list[int] = []
    is_removed = False
    with open_model(folder, max_samples) as model:
        while not is_removed or len(sizes) < _TRAININGS:
            try:
                sizes.append(model.fit(3).samples)
            except DataError:  # no samples yet
                time.sleep(0.01)
                continue
            model.evaluate()
            if not is_removed and _REMOVED in model.classes:
                model.remove_class(_REMOVED)
                is_removed = True
    return json.dumps(sizes)


def main(folder: Path, max_samples: int) -> None:
    """Run all processes, and print the results."""
    functions = [partial(add, folder, max_samples, 0), partial(add, folder, max_samples, 3),
             partial(train, folder, max_samples)]  # fmt: skip
    results = [child.wait() for child in [forks.start(function) for function in functions]]
    assert not any("CRASH" in each for each in results), results
    added = {source for each in results[:2] for source in json.loads(each)}
    with open_model(folder, max_samples) as model:
        stored = {each.source for each in model.samples}
        model.fit()
        accuracy = model.evaluate().accuracy
        labels = sorted({str(each.label) for each in model.samples})
    missing = [
        source
        for source in sorted(added)
        if identity_of_name(source).hex() not in stored and NAMES[int(source[0])] != _REMOVED
    ]
    result = {
        "added": len(added),
        "lost": missing,
        "remaining": len(stored),
        "labels": labels,
        "training_sizes": json.loads(results[2]),
        "accuracy": accuracy,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
