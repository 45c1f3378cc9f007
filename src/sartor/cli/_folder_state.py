"""The content of each folder at its last `fit`, stored with the samples.

`fit` applies only what has changed in the folder since then, so that a photo that was forgotten and
a class that was renamed or removed stay so.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..contract.sample_store import checksum
from ..errors import StoreError

if TYPE_CHECKING:
    from ..runtime.store import SampleStore

__all__ = [
    "FolderState",
    "StoredLabel",
    "label_names",
    "present_names",
    "read_states",
    "settle",
]

StoredLabel: TypeAlias = "str | list[str] | Mapping[str, float]"
"""A label of a folder or CSV as JSON."""

_PREFIX = "sartor/folder/"


@dataclass
class FolderState:
    """The content of a folder at its last `fit`.

    Attributes:
        path: absolute path of the folder or CSV.
        files: identity of a sample in hexadecimal → label in the folder.
        classes: label in the folder → key of its class.
        pending: identity → whether it is held out, of files that `fit` was going to add.
    """

    path: str
    files: dict[str, StoredLabel] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    pending: dict[str, bool] = field(default_factory=dict)

    def write(self, store: SampleStore) -> None:
        """Write the state to the store, unless it is there."""
        key, text = _key(self.path), json.dumps(asdict(self))
        text = f"{checksum(text):08x}{text}"
        if store.app_data(key) != {key: text}:
            store.set_app_data(key, text)

    def move(self, store: SampleStore, path: str) -> None:
        """Write the state to the store, for a folder that may have been moved."""
        with store.transaction():
            if path != self.path:
                store.set_app_data(_key(self.path), None)
            self.path = path
            self.write(store)

    def settle(self, store: SampleStore) -> None:
        """Update `pending` and `classes` after files were added."""
        samples = {sample.source: sample for sample in store.samples()}
        self.pending = {key: held for key, held in self.pending.items() if key not in samples}
        keys = {name: key for key, name in store.class_keys().items() if name is not None}
        labels = {name for label in self.files.values() for name in label_names(label)}
        self.classes = {
            name: key for name, key in {**keys, **self.classes}.items() if name in labels
        }


def _key(path: str) -> str:
    return _PREFIX + hashlib.sha256(os.fsencode(path)).hexdigest()


def label_names(label: str | Iterable[str]) -> list[str]:
    """Return the names of the classes of a label."""
    return [label] if isinstance(label, str) else list(label)


def read_states(store: SampleStore) -> list[FolderState]:
    """Return the states of all folders.

    Raises:
        StoreError: If one is damaged.
    """
    return [_parse(store, text) for text in store.app_data(_PREFIX).values()]


def _parse(store: SampleStore, text: str) -> FolderState:
    try:
        if f"{checksum(text[8:]):08x}" == text[:8]:
            state = FolderState(**json.loads(text[8:]))
            tables = (state.files, state.classes, state.pending)
            if isinstance(state.path, str) and all(isinstance(each, dict) for each in tables):
                return state
    except (TypeError, ValueError, RecursionError):  # written by another program
        pass
    raise StoreError(
        f"{store.path} is damaged: the list of a folder has changed. Restore it from a backup, or "
        "delete it and add the samples again."
    )


def present_names(store: SampleStore, folder: Path, classes: Collection[str]) -> dict[str, str]:
    """Return label of a folder → present name of its class, for classes that were renamed.

    Args:
        store: store with the states of all folders.
        folder: the folder. Labels that other folders had before a class was renamed count too,
            unless the model has a class of this name.
        classes: names of the classes of the model.
    """
    keys, names = store.class_keys(), dict[str, str]()
    path = str(folder.resolve())
    for state in sorted(read_states(store), key=lambda state: state.path != path):
        for label, key in state.classes.items():
            name = keys.get(key)
            if (
                name is not None
                and name in classes
                and (state.path == path or label not in classes)
            ):
                names.setdefault(label, name)
    return {label: name for label, name in names.items() if label != name}


def settle(store: SampleStore) -> None:
    """Complete the states after a `fit` that was killed; call it before samples are deleted."""
    for state in read_states(store):
        if state.pending:
            state.settle(store)
            state.write(store)
