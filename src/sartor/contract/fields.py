"""A reader of JSON objects that checks each field."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, TypeGuard

from ..errors import SartorError

__all__ = ["Fields"]


@dataclass(frozen=True)
class Fields:
    """The fields of a JSON object.

    Attributes:
        values: name → value.
        where: name of the object, for errors.
        error: error to raise if a field is missing or has a wrong type.
    """

    values: dict[str, Any]
    where: str
    error: type[SartorError]

    @classmethod
    def parse(cls, text: str | bytes, where: str, error: type[SartorError]) -> Fields:
        """Read a JSON object; raises `error` if the text is not one."""
        try:
            values = json.loads(text)
            json.dumps(values, ensure_ascii=False).encode()  # raises if a text is not Unicode
        except (ValueError, RecursionError) as cause:
            raise error(f"{where} is damaged: {cause}") from cause
        if not isinstance(values, dict):
            raise error(f"{where} is damaged: expected an object, got {type(values).__name__}")
        return cls(values, where, error)

    def string(self, name: str) -> str:
        """Return a string."""
        value = self.values.get(name)
        return value if isinstance(value, str) else self._refuse(name, "a string")

    def optional_string(self, name: str) -> str | None:
        """Return a string, or None if it is missing or null."""
        return None if self.values.get(name) is None else self.string(name)

    def integer(self, name: str, *, minimum: int | None = None) -> int:
        """Return an integer."""
        value = self.values.get(name)
        if not _is_integer(value) or (minimum is not None and value < minimum):
            self._refuse(name, "an integer" + ("" if minimum is None else f" of {minimum} or more"))
        return int(self.values[name])

    def optional_integer(self, name: str, *, minimum: int | None = None) -> int | None:
        """Return an integer, or None if it is missing or null."""
        return None if self.values.get(name) is None else self.integer(name, minimum=minimum)

    def number(self, name: str) -> float:
        """Return a finite number."""
        value = self.values.get(name)
        return float(value) if _is_number(value) else self._refuse(name, "a finite number")

    def optional_number(self, name: str) -> float | None:
        """Return a finite number, or None if it is missing or null."""
        return None if self.values.get(name) is None else self.number(name)

    def boolean(self, name: str) -> bool:
        """Return a boolean."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else self._refuse(name, "true or false")

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        values = self._list(name)
        if not all(_is_number(value) for value in values):
            self._refuse(name, "a list of finite numbers")
        return tuple(float(value) for value in values)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a list of positive integers."""
        values = self._list(name)
        if not all(_is_integer(value) and 0 < value < 2**31 for value in values):
            self._refuse(name, "a list of positive sizes")
        return tuple(values)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            self._refuse(name, "a list of strings")
        return tuple(values)

    def names(self, name: str) -> tuple[str | None, ...]:
        """Return a list of strings and nulls."""
        values = self._list(name)
        if not all(value is None or isinstance(value, str) for value in values):
            self._refuse(name, "a list of strings and nulls")
        return tuple(values)

    def object(self, name: str) -> Fields:
        """Return an object."""
        value = self.values.get(name)
        if not isinstance(value, dict):
            self._refuse(name, "an object")
        return Fields(self.values[name], f"{self.where}: {name}", self.error)

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects."""
        values = self._list(name)
        if not all(isinstance(value, dict) for value in values):
            self._refuse(name, "a list of objects")
        return [Fields(value, f"{self.where}: {name}", self.error) for value in values]

    def _list(self, name: str) -> list[Any]:
        value = self.values.get(name)
        return value if isinstance(value, list) else self._refuse(name, "a list")

    def _refuse(self, name: str, expected: str) -> Any:
        got = repr(self.values[name]) if name in self.values else "nothing"
        raise self.error(f"{self.where}: {name} must be {expected}, got {got[:80]}")


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_number(value: object) -> TypeGuard[float]:
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))
