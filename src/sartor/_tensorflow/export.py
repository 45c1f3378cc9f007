"""A function of TensorFlow as one float `.tflite`: its variables in it, batch 1, builtin ops."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ConversionError, SartorError
from .quiet import quiet

__all__ = ["short", "to_tflite"]

_REFUSED = re.compile(r"^(?:TF Select|Flex|Custom) ops: (.+)$", re.MULTILINE)
_LONGEST = 300


def to_tflite(
    tensorflow: Any,
    function: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    specs: Mapping[str, Any],
    *,
    key: str,
    what: str,
    kept: object = None,
) -> bytes:
    """Trace a function and convert it.

    A SavedModel holds the variables that belong to the object which is saved: so that is one that
    owns all those that the function has read. The variables of a Keras 3 model belong to none else.

    Args:
        tensorflow: the module.
        function: takes a mapping of tensors, by the names of `specs`, and returns one of outputs.
        specs: name → TensorSpec of a shape without holes. In the file a name has `_` for each
            character that no identifier has.
        key: of the signature that the file gets.
        what: is converted, for messages.
        kept: an object of TensorFlow that owns what the function reads besides variables.

    Returns:
        The file, with one signature that names its inputs and outputs.

    Raises:
        ConversionError: the model cannot be traced, or asks for ops that are not builtin ones.
        OSError: there is no room for temporary files.
    """
    owner, plain = tensorflow.Module(), _identifiers(specs)

    @tensorflow.function(autograph=False)  # type: ignore[untyped-decorator]
    def traced(**tensors: Any) -> Mapping[str, Any]:
        return function({name: tensors[plain[name]] for name in specs})

    try:
        with quiet():
            concrete = traced.get_concrete_function(
                **{
                    plain[name]: tensorflow.TensorSpec(spec.shape, spec.dtype, name=plain[name])
                    for name, spec in specs.items()
                }
            )
    except SartorError:
        raise
    except Exception as error:  # whatever the user's layers raise
        raise ConversionError(
            f"{what} cannot be run on inputs {_shapes(specs)}: {short(error)}"
        ) from error
    owner.kept = [kept, *concrete.variables]
    try:
        with quiet(), tempfile.TemporaryDirectory() as folder:
            tensorflow.saved_model.save(owner, folder, signatures={key: concrete})
            converter = tensorflow.lite.TFLiteConverter.from_saved_model(folder, [key])
            content: bytes = converter.convert()
    except OSError:
        raise
    except Exception as error:
        raise ConversionError(_why(error, concrete.graph, what)) from error
    return content


def short(error: Exception) -> str:
    """What an exception says, at a length that someone reads."""
    text = " ".join(str(error).split()) or type(error).__name__
    half = _LONGEST // 2  # some end with the cause
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


def _why(error: Exception, graph: Any, what: str) -> str:
    named = {op for found in _REFUSED.findall(str(error)) for op in found.split(", ")}
    ops = {name.strip().removeprefix("Flex") for name in named}
    if not ops:
        return f"TensorFlow's converter refuses {what}: {short(error)}"
    asked = {op.type: op.name.rpartition("/")[0] for op in graph.get_operations() if op.type in ops}
    listed = ", ".join(f"{op} of {asked[op]!r}" if asked.get(op) else op for op in sorted(ops))
    return (
        f"{what} needs ops that LiteRT does not have: {listed}. Take features from before them "
        "(features=, --features), or build these layers from other ops"
    )


def _identifiers(names: Iterable[str]) -> dict[str, str]:
    """Each name as one that an argument can have, and no two the same."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W|^(?=\d)", "_", name) or "_"
        while plain in found.values():
            plain += "_"
        found[name] = plain
    return found


def _shapes(specs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {list(spec.shape)}" for name, spec in specs.items())
