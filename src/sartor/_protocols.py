"""Check objects of a user against the protocol that they implement."""

from __future__ import annotations

from .errors import ConversionError

__all__ = ["check_protocol"]


def check_protocol(value: object, protocol: type, name: str, example: str) -> None:
    """Check that an object has every attribute of a protocol.

    Args:
        value: object of the user.
        protocol: the protocol.
        name: name of the argument, for the error.
        example: an expression that creates such an object, for the error.

    Raises:
        ConversionError: If the object is a class, or lacks attributes.
    """
    expected = f"{name} must be an instance of {protocol.__name__}, such as {example}"
    if isinstance(value, type):
        raise ConversionError(f"{expected}; got the class {value.__name__}")
    attributes = [each for each in dir(protocol) if not each.startswith("_")]
    missing = [each for each in attributes if not hasattr(value, each)]
    if not missing:
        return
    got = f"{expected}; got {value!r}"
    if hasattr(value, "name"):
        got += f", which lacks {', '.join(missing)} (see {protocol.__module__}.{protocol.__name__})"
    raise ConversionError(got)
