"""Operator codes: from the schema's table to op code and version, and back."""

from __future__ import annotations

from ..errors import InvalidModelError
from .decode import DAMAGED
from .layout import Record
from .schema import OPERATORS

__all__ = ["operator_code_record", "read_operator_code"]

_LARGEST_OLD_CODE = 127  # the old field for operator codes is a byte; readers take the larger
_NUMBERS = {name: number for number, name in OPERATORS.items()}


def read_operator_code(record: Record) -> tuple[str, str | None, int]:
    """Return the op code, the name of a custom op, and the version."""
    # Writers from before there were 127 operators fill only the old field.
    number = max(record["deprecatedBuiltinCode"], record["builtinCode"])
    code = OPERATORS.get(number)
    custom_code: str | None = record["customCode"]
    if code is None or (code == "CUSTOM" and not custom_code):
        what = f"number {number}" if code is None else "custom without a name"
        raise InvalidModelError(
            f"an operator code is {what}, expected one of the installed schema. "
            f"Update ai-edge-litert. {DAMAGED}"
        )
    if record["version"] < 1:
        raise InvalidModelError(
            f"{code} has version {record['version']}, expected 1 or more. {DAMAGED}"
        )
    return code, custom_code, record["version"]


def operator_code_record(code: str, custom_code: str | None, version: int) -> Record:
    """Return the schema table of an operator code."""
    number = _NUMBERS.get(code)
    if number is None:
        raise InvalidModelError(
            f"the installed schema does not have the op {code!r}. Update ai-edge-litert."
        )
    return {
        "deprecatedBuiltinCode": min(number, _LARGEST_OLD_CODE),
        "builtinCode": number,
        "customCode": custom_code,
        "version": version,
    }
