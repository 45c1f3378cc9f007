"""Convert a TensorFlow function to a float `.tflite` file with builtin ops."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...errors import ConversionError, SartorError
from .quiet import quiet

__all__ = ["shorten", "to_tflite"]

_UNSUPPORTED = re.compile(r"^(?:TF Select|Flex|Custom) ops: (.+)$", re.MULTILINE)
_MAX_LENGTH = 300


def to_tflite(
    tensorflow: Any,
    function: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    specs: Mapping[str, Any],
    *,
    key: str,
    what: str,
    owner: object = None,
) -> bytes:
    """Trace a function and convert it.

    A SavedModel contains the variables of the saved object. The saved object here is a module that
    owns all variables that the function reads, because the variables of a Keras 3 model have no
    other owner.

    Args:
        tensorflow: the module `tensorflow`.
        function: function from input tensors (name → tensor) to output tensors.
        specs: name → TensorSpec with a static shape. In the file, characters that are not allowed
            in identifiers become `_`.
        key: name of the signature in the file.
        what: name of the model, for messages.
        owner: TensorFlow object that owns other resources that the function reads.

    Returns:
        The file. Its only signature names the inputs and outputs.

    Raises:
        ConversionError: If the function cannot be traced, or needs ops that are not builtin.
        OSError: If temporary files cannot be written.
    """
    module, identifiers = tensorflow.Module(), _identifiers(specs)

    @tensorflow.function(autograph=False)  # type: ignore[untyped-decorator]
    def traced(**tensors: Any) -> Mapping[str, Any]:
        return function({name: tensors[identifiers[name]] for name in specs})

    try:
        with quiet():
            concrete = traced.get_concrete_function(
                **{
                    identifiers[name]: tensorflow.TensorSpec(
                        spec.shape, spec.dtype, name=identifiers[name]
                    )
                    for name, spec in specs.items()
                }
            )
    except SartorError:
        raise
    except Exception as error:  # the user's layers can raise anything
        raise ConversionError(
            f"{what} cannot be run on inputs {_shapes(specs)}: {shorten(error)}"
        ) from error
    module.resources = [owner, *concrete.variables]
    try:
        with quiet(), tempfile.TemporaryDirectory() as folder:
            tensorflow.saved_model.save(module, folder, signatures={key: concrete})
            converter = tensorflow.lite.TFLiteConverter.from_saved_model(folder, [key])
            content: bytes = converter.convert()
    except OSError:
        raise
    except Exception as error:
        raise ConversionError(_explain(error, concrete.graph, what)) from error
    return content


def shorten(error: Exception) -> str:
    """Return the message of an exception on one line, without its middle if it is long."""
    text = " ".join(str(error).split()) or type(error).__name__
    half = _MAX_LENGTH // 2  # some messages end with the cause
    return text if len(text) <= _MAX_LENGTH else f"{text[:half]} … {text[-half:]}"


def _explain(error: Exception, graph: Any, what: str) -> str:
    names = {op for line in _UNSUPPORTED.findall(str(error)) for op in line.split(", ")}
    ops = {name.strip().removeprefix("Flex") for name in names}
    if not ops:
        return f"TensorFlow cannot convert {what}: {shorten(error)}"
    layers = {
        op.type: op.name.rpartition("/")[0] for op in graph.get_operations() if op.type in ops
    }
    listed = ", ".join(f"{op} in {layers[op]!r}" if layers.get(op) else op for op in sorted(ops))
    return (
        f"{what} needs ops that LiteRT does not have: {listed}. Choose features before them "
        "(features=, --features), or build these layers from other ops"
    )


def _identifiers(names: Iterable[str]) -> dict[str, str]:
    """Return a unique Python identifier for each name."""
    identifiers: dict[str, str] = {}
    for name in names:
        identifier = re.sub(r"\W|^(?=\d)", "_", name) or "_"
        while identifier in identifiers.values():
            identifier += "_"
        identifiers[name] = identifier
    return identifiers


def _shapes(specs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {list(spec.shape)}" for name, spec in specs.items())
