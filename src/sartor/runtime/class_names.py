"""The names and keys of the classes of a model, and the changes that a store has recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .store import new_key

__all__ = ["ClassNames"]


class ClassNames:
    """The name and the key of each class index.

    A key identifies a class through renamings. A store is written at once, a checkpoint only when
    it is saved; so the store decides which class of an older checkpoint was renamed or removed.

    Args:
        names: class name of each class index; None for a free one.
        keys: key of each class index. Default: the names.
    """

    def __init__(
        self, names: Sequence[str | None], keys: Sequence[str | None] | None = None
    ) -> None:
        self.names = list(names)
        self.keys = list(keys or names)  # None too for a class whose key is in no store yet

    @property
    def indices(self) -> dict[str, int]:
        """Class name → class index, in the order of the indices."""
        return {name: index for index, name in enumerate(self.names) if name is not None}

    @property
    def free(self) -> int:
        """Number of free class indices."""
        return self.names.count(None)

    def keys_by_name(self) -> dict[str, str]:
        """Return class name → key, of the classes that have one."""
        pairs = zip(self.names, self.keys, strict=True)
        return {name: key for name, key in pairs if name is not None and key is not None}

    def complete_keys(self) -> tuple[str | None, ...]:
        """Return the key of each class; one without a key gets it."""
        for index, name in enumerate(self.names):
            if name is not None and self.keys[index] is None:
                self.keys[index] = new_key()
        return tuple(self.keys)

    def add(self, name: str) -> int:
        """Give a free class index to a new class, and return the index."""
        index = self.names.index(None)
        self.names[index], self.keys[index] = name, None
        return index

    def remove(self, name: str) -> int:
        """Free the index of a class, and return it."""
        index = self.names.index(name)
        self.names[index] = self.keys[index] = None
        return index

    def rename(self, old: str, new: str) -> None:
        """Rename a class."""
        self.names[self.names.index(old)] = new

    def following(self, stored: Mapping[str, str | None]) -> ClassNames:
        """Return the names and keys after the changes of a store.

        Args:
            stored: class key → name, or None for a removed class.
        """
        keys = {name: key for key, name in stored.items() if name is not None}
        result = ClassNames(self.names, self.keys)
        for index, (name, key) in enumerate(zip(self.names, self.keys, strict=True)):
            if name is None:
                continue
            if key is not None and key in stored:
                result.names[index] = stored[key]
            elif name in keys:  # the same class, from another device or process
                result.keys[index] = keys[name]
                if keys[name] in self.keys:  # another class took the name
                    result.names[index] = None
            if result.names[index] is None:
                result.keys[index] = None
        return result
