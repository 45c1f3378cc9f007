"""Several processes on one store: two add, one trains and removes a class.

    python sharing.py FOLDER MAX-SAMPLES

FOLDER has a `model.tflite`; MAX-SAMPLES 0 is for no bound. The results are printed as JSON.
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

_EACH = 60  # samples, of three classes
_TRAININGS = 4
_REMOVED = NAMES[0]


def opened(folder: Path, bound: int) -> PersonalModel:
    """Open a model on the shared store."""
    return PersonalModel(folder / MODEL, store=folder / STORE, max_samples=bound or None)


def add(folder: Path, bound: int, first: int) -> str:
    """Add samples of three groups, and return the acknowledged sources."""
    done = []
    with opened(folder, bound) as model:
        for number in range(_EACH):
            group = first + number % 3
            source = f"{group}.{number}"
            model.add_sample(sample(source), NAMES[group], source=source)
            done.append(source)
            model.predict(sample(source))
            assert not bound or len(model.samples) <= bound
    return json.dumps(done)


def train(folder: Path, bound: int) -> str:
    """Train, remove a class once, and return the numbers of training samples."""
    trained: list[int] = []
    is_removed = False
    with opened(folder, bound) as model:
        while not is_removed or len(trained) < _TRAININGS:
            try:
                trained.append(model.fit(3).samples)
            except DataError:  # no samples yet
                time.sleep(0.01)
                continue
            model.evaluate()
            if not is_removed and _REMOVED in model.classes:
                model.remove_class(_REMOVED)
                is_removed = True
    return json.dumps(trained)


def main(folder: Path, bound: int) -> None:
    """Run all processes, and print the results."""
    works = [partial(add, folder, bound, 0), partial(add, folder, bound, 3),
             partial(train, folder, bound)]  # fmt: skip
    results = [child.wait() for child in [forks.start(work) for work in works]]
    assert not any("CRASH" in each for each in results), results
    added = {source for each in results[:2] for source in json.loads(each)}
    with opened(folder, bound) as model:
        found = {each.source for each in model.samples}
        model.fit()
        right = model.evaluate().accuracy
        labels = sorted({str(each.label) for each in model.samples})
    lost = [
        source
        for source in sorted(added)
        if identity_of_name(source).hex() not in found and NAMES[int(source[0])] != _REMOVED
    ]
    print(json.dumps({"added": len(added), "lost": lost, "left": len(found), "labels": labels,
                      "trained": json.loads(results[2]), "right": right}))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
