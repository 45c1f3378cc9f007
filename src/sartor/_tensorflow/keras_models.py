"""A Keras model as a float `.tflite`, whole or up to named layers."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..contract.names import FEATURES, INPUT
from ..errors import ConversionError
from .export import to_tflite
from .framework import tensorflow
from .shapes import InputShape, fixed_shapes

__all__ = ["keras_to_tflite"]

_WHOLE = "serving_default"
_HALF = ("bfloat16", "float16")


def keras_to_tflite(
    model: Any,
    *,
    features: Sequence[str] = (),
    input_shape: InputShape = None,
    what: str = "the Keras model",
) -> bytes:
    """Convert a model as it predicts: no dropout, batch 1.

    Args:
        model: functional, sequential or subclassed, of Keras 3 or `tf_keras`.
        features: layers whose outputs the file gives instead of the model's, so that nothing
            behind them is in it; one inside a nested model may be named as `inner/layer`.
        input_shape: of one sample, without the batch, where the model leaves it open.
        what: is converted, for messages.

    Returns:
        A file with one signature: `features`, whose outputs have the names of the layers, or
        without them `serving_default`.

    Raises:
        ConversionError: TensorFlow is not installed, there is no such layer, or the model cannot
            be converted; the message says what to do.
    """
    tf = tensorflow(what)
    _check_model(model, what)
    layers = {name: _find(model, name, what) for name in features}
    inputs = _Inputs(tf, model, input_shape, what)

    def predict(tensors: Mapping[str, Any]) -> dict[str, Any]:
        with _in_float32(model), _recorded(layers) as seen:
            outputs = model(inputs.arranged(tensors), training=False)
        if not layers:
            return _named(tf.nest.flatten(outputs), "output")
        missed = [name for name in layers if name not in seen]
        if missed:
            raise ConversionError(f"{what} does not pass through the layer {missed[0]!r}")
        return {
            key: value
            for name in layers
            for key, value in _named(tf.nest.flatten(seen[name]), name).items()
        }

    return to_tflite(tf, predict, inputs.specs, key=FEATURES if layers else _WHOLE, what=what)


class _Inputs:
    """What a model takes: a spec for each input, and the structure that it wants them in."""

    def __init__(self, tf: Any, model: Any, told: InputShape, what: str) -> None:
        self._structure = _structure(model)
        self._nest = tf.nest
        if self._structure is None and isinstance(told, Mapping):
            raise ConversionError(
                f"{what} does not say what its inputs are, so input_shape must be one shape: for "
                "several, wrap it into a functional model (keras.Input for each)"
            )
        inputs = tf.nest.flatten(self._structure)
        stated: dict[str, tuple[Any, Any]] = {
            each.name: (tuple(each.shape), each.dtype) for each in inputs if each is not None
        }
        if len(inputs) == 1:
            stated = {INPUT: next(iter(stated.values()), (_built_shape(model), "float32"))}
        for name, (_, dtype) in stated.items():
            if dtype == "string":
                raise ConversionError(
                    f"{what} takes text as {name}, and a .tflite numbers: convert what comes after "
                    "its TextVectorization or StringLookup, and run that one in the app"
                )
        shapes = fixed_shapes({name: shape for name, (shape, _) in stated.items()}, told, what)
        self.specs = {
            name: tf.TensorSpec(shapes[name], dtype) for name, (_, dtype) in stated.items()
        }

    def arranged(self, tensors: Mapping[str, Any]) -> Any:
        if self._structure is None:
            return tensors[INPUT]
        if len(tensors) == 1:
            return self._nest.map_structure(lambda _: tensors[INPUT], self._structure)
        return self._nest.map_structure(lambda each: tensors[each.name], self._structure)


def _structure(model: Any) -> Any:
    """What a model takes, as Keras's symbols: one, a list, or a mapping.

    None for a subclassed model, which learns its inputs when it is called.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs:
        return None
    return getattr(model, "input", inputs[0] if len(inputs) == 1 else inputs)


def _built_shape(model: Any) -> tuple[int | None, ...] | None:
    """The shape that a subclassed model was called with, the batch left open."""
    config: dict[str, Any] = getattr(model, "get_build_config", dict)() or {}
    shape = config.get("input_shape")
    if not isinstance(shape, tuple | list) or not shape:
        return None
    flat = all(size is None or type(size) is int for size in shape)
    return (None, *shape[1:]) if flat else None


@contextlib.contextmanager
def _in_float32(model: Any) -> Iterator[None]:
    """Let layers that compute in half precision, as they were trained, compute in full."""
    with contextlib.ExitStack() as stack:
        for layer in (model, *dict(_layers(model)).values()):
            policy = getattr(layer, "dtype_policy", None)
            if getattr(policy, "compute_dtype", None) in _HALF:
                stack.callback(setattr, layer, "dtype_policy", policy)
                layer.dtype_policy = "float32"
        yield


@contextlib.contextmanager
def _recorded(layers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Collect what layers return while the block runs, wherever in the model they are."""
    seen: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        for name, layer in layers.items():
            _record(stack, seen, name, layer)
        yield seen


def _record(stack: contextlib.ExitStack, seen: dict[str, Any], name: str, layer: Any) -> None:
    call, own = layer.call, layer.__dict__

    def recording(*args: Any, **kwargs: Any) -> Any:
        seen[name] = call(*args, **kwargs)
        return seen[name]

    if "call" in own:
        stack.callback(own.__setitem__, "call", own["call"])
    else:
        stack.callback(own.pop, "call")
    own["call"] = recording  # past __setattr__, which tracks what it is given


def _named(tensors: Sequence[Any], name: str) -> dict[str, Any]:
    if len(tensors) == 1:
        return {name: tensors[0]}
    return {f"{name}_{index}": tensor for index, tensor in enumerate(tensors)}


def _find(model: Any, name: str, what: str) -> Any:
    paths = dict(_layers(model))
    ends = [path for path in paths if path == name or path.endswith(f"/{name}")]
    found = [name] if name in paths else ends
    if len({id(paths[path]) for path in found}) > 1:
        raise ConversionError(
            f"{what} has several layers {name!r}: name one of {', '.join(map(repr, found))}"
        )
    if not found:
        close = difflib.get_close_matches(name, list(paths), n=5, cutoff=0.4) or list(paths)[-5:]
        raise ConversionError(
            f"{what} has no layer {name!r} to take features from. Close to it, or last: "
            f"{', '.join(map(repr, close))}"
        )
    return paths[found[0]]


def _layers(model: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every layer under its name, those of nested models under `model/layer`."""
    for layer in getattr(model, "layers", ()):
        yield above + layer.name, layer
        yield from _layers(layer, f"{above}{layer.name}/")


def _check_model(model: Any, what: str) -> None:
    if isinstance(model, type) or not callable(model) or not hasattr(model, "layers"):
        raise ConversionError(f"{what} must be a Keras model; got {model!r}")
