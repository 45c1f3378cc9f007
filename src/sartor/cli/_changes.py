"""What has changed in a folder since its last `fit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..modalities import FileLabel, LabelledFile
    from ..runtime import StoredSample

__all__ = ["Changes"]


@dataclass
class Changes:
    """What has changed in a folder since its last `fit`.

    Attributes:
        unchanged: number of files whose samples stay as they are.
        new: identity → file without a sample.
        changed: identity → file with another label than its sample, or in another part.
        changed_samples: the samples of the changed files, in their order.
        changed_labels: their new labels, with the names of the model.
        missing: samples whose files are no longer in the folder.
        forgotten: files whose samples were deleted from the model.
        removed: files of classes that were removed from the model.
    """

    unchanged: int = 0
    new: dict[str, LabelledFile] = field(default_factory=dict)
    changed: dict[str, LabelledFile] = field(default_factory=dict)
    changed_samples: list[StoredSample] = field(default_factory=list)
    changed_labels: list[FileLabel] = field(default_factory=list)
    missing: list[StoredSample] = field(default_factory=list)
    forgotten: list[LabelledFile] = field(default_factory=list)
    removed: list[LabelledFile] = field(default_factory=list)

    def describe(self) -> dict[str, object]:
        """Return the changes as JSON."""
        return {
            "new_samples": len(self.new),
            "changed_samples": len(self.changed),
            "dropped_samples": len(self.missing),
            "forgotten_files": [str(file.path) for file in (*self.forgotten, *self.removed)],
        }

    def lines(self, source: object) -> list[str]:
        """Return a line for each kind of change, with the number of photos of each label.

        Args:
            source: the folder.
        """
        kinds: list[tuple[str, Iterable[str]]] = [
            ("new", (_label_text(file.label) for file in self.new.values())),
            (
                "changed",
                map(_change_text, self.changed_samples, self.changed_labels, self.changed.values()),
            ),
            (
                f"no longer in {source}, deleted from the model",
                (_label_text(each.targets) for each in self.missing),
            ),
            (
                "deleted from the model before, skipped (--include-forgotten adds them)",
                (_label_text(file.label) for file in (*self.forgotten, *self.removed)),
            ),
        ]
        lines = []
        for kind, texts in kinds:
            counts = Counter(texts)
            if counts:
                photos = "1 photo" if counts.total() == 1 else f"{counts.total()} photos"
                lines.append(f"{photos} {kind}: {_list_counts(counts)}")
        return lines


def _list_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _change_text(sample: StoredSample, label: FileLabel, file: LabelledFile) -> str:
    old, new = _label_text(sample.targets), _label_text(label)
    if file.held_out not in (None, sample.held_out):
        return f"{new} {'held out' if file.held_out else 'no longer held out'}"
    return new if old == new else f"{old} → {new}"


def _label_text(label: FileLabel) -> str:
    if isinstance(label, str):
        return label
    names = [name for name in label if not isinstance(label, Mapping) or label[name]]
    return "+".join(names) or "no label"
