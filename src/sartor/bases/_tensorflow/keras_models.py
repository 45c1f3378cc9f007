"""Convert a Keras model, or its layers up to the features, to a float `.tflite` file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...contract.names import FEATURES, INPUT
from ...errors import ConversionError, FeatureError
from ...graph import similar_names
from .._input_shapes import InputShape, fixed_shapes
from .export import to_tflite
from .framework import tensorflow

__all__ = ["keras_to_tflite"]

_DEFAULT_SIGNATURE = "serving_default"
_HALF_PRECISION = ("bfloat16", "float16")


def keras_to_tflite(
    model: Any,
    *,
    features: Sequence[str] = (),
    input_shape: InputShape = None,
    what: str = "the Keras model",
) -> bytes:
    """Convert a model for inference, with batch 1.

    Args:
        model: functional, sequential or subclassed model of Keras 3 or `tf_keras`.
        features: names of layers. Their outputs become the outputs of the file, and later layers
            are omitted. A layer inside a nested model is named `inner/layer`. Default: the outputs
            of the model.
        input_shape: shape of one sample, without the batch, if the model does not state it.
        what: name of the model, for messages.

    Returns:
        A file with one signature: `features`, with one output per layer, or `serving_default`.

    Raises:
        FeatureError: If a layer does not exist.
        ConversionError: If TensorFlow is not installed, or the model cannot be converted. The
            message gives advice.
    """
    tf = tensorflow(what)
    _check_model(model, what)
    layers = {name: _find_layer(model, name, what) for name in features}
    inputs = _Inputs(tf, model, input_shape, what)

    def predict(tensors: Mapping[str, Any]) -> dict[str, Any]:
        with _in_float32(model), _record_outputs(layers) as recorded:
            outputs = model(inputs.arrange(tensors), training=False)
        if not layers:
            return _name_outputs(tf.nest.flatten(outputs), "output")
        unused = [name for name in layers if name not in recorded]
        if unused:
            raise ConversionError(f"{what} does not use the layer {unused[0]!r}")
        return {
            key: value
            for name in layers
            for key, value in _name_outputs(tf.nest.flatten(recorded[name]), name).items()
        }

    return to_tflite(
        tf, predict, inputs.specs, key=FEATURES if layers else _DEFAULT_SIGNATURE, what=what
    )


class _Inputs:
    """The inputs of a model: a TensorSpec for each, and the structure of its argument."""

    def __init__(self, tf: Any, model: Any, input_shape: InputShape, what: str) -> None:
        self._structure = _structure(model)
        self._nest = tf.nest
        if self._structure is None and isinstance(input_shape, Mapping):
            raise ConversionError(
                f"{what} does not state its inputs, so input_shape must be one shape: if it has "
                "several inputs, wrap it in a functional model (one keras.Input for each)"
            )
        inputs = tf.nest.flatten(self._structure)
        stated: dict[str, tuple[Any, Any]] = {
            each.name: (_with_open_batch(each.shape), each.dtype)
            for each in inputs
            if each is not None
        }
        if len(inputs) == 1:
            stated = {INPUT: next(iter(stated.values()), (_built_shape(model), "float32"))}
        for name, (_, dtype) in stated.items():
            if dtype == "string":
                raise ConversionError(
                    f"the input {name} of {what} is text, and a .tflite takes numbers: convert the "
                    "layers after TextVectorization or StringLookup, which the app must run itself"
                )
        shapes = fixed_shapes(
            {name: shape for name, (shape, _) in stated.items()}, input_shape, what
        )
        self.specs = {
            name: tf.TensorSpec(shapes[name], dtype) for name, (_, dtype) in stated.items()
        }

    def arrange(self, tensors: Mapping[str, Any]) -> Any:
        if self._structure is None:
            return tensors[INPUT]
        if len(tensors) == 1:
            return self._nest.map_structure(lambda _: tensors[INPUT], self._structure)
        return self._nest.map_structure(lambda each: tensors[each.name], self._structure)


def _structure(model: Any) -> Any:
    """Return the symbolic inputs of a model: one, a list, or a mapping.

    None for a subclassed model, whose inputs are known only after a call.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs:
        return None
    return getattr(model, "input", inputs[0] if len(inputs) == 1 else inputs)


def _with_open_batch(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """Return the shape of an input; layers take any batch, also if the input states one."""
    return (None, *shape[1:]) if shape else ()


def _built_shape(model: Any) -> tuple[int | None, ...] | None:
    """Return the input shape of a subclassed model that was called, with an open batch."""
    config: dict[str, Any] = getattr(model, "get_build_config", dict)() or {}
    shape = config.get("input_shape")
    if not isinstance(shape, tuple | list) or not shape:
        return None
    flat = all(size is None or type(size) is int for size in shape)
    return (None, *shape[1:]) if flat else None


@contextlib.contextmanager
def _in_float32(model: Any) -> Iterator[None]:
    """Let layers trained in half precision compute in float32 while the block runs."""
    with contextlib.ExitStack() as stack:
        for layer in (model, *dict(_layers(model)).values()):
            policy = getattr(layer, "dtype_policy", None)
            if getattr(policy, "compute_dtype", None) in _HALF_PRECISION:
                stack.callback(setattr, layer, "dtype_policy", policy)
                layer.dtype_policy = "float32"
        yield


@contextlib.contextmanager
def _record_outputs(layers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Record the outputs of layers while the block runs."""
    recorded: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        for name, layer in layers.items():
            _record_layer(stack, recorded, name, layer)
        yield recorded


def _record_layer(
    stack: contextlib.ExitStack, recorded: dict[str, Any], name: str, layer: Any
) -> None:
    call, own = layer.call, layer.__dict__

    def recording(*args: Any, **kwargs: Any) -> Any:
        recorded[name] = call(*args, **kwargs)
        return recorded[name]

    if "call" in own:
        stack.callback(own.__setitem__, "call", own["call"])
    else:
        stack.callback(own.pop, "call")
    own["call"] = recording  # not with setattr, which Keras tracks


def _name_outputs(tensors: Sequence[Any], name: str) -> dict[str, Any]:
    if len(tensors) == 1:
        return {name: tensors[0]}
    return {f"{name}_{index}": tensor for index, tensor in enumerate(tensors)}


def _find_layer(model: Any, name: str, what: str) -> Any:
    paths = dict(_layers(model))
    matches = [path for path in paths if path == name or path.endswith(f"/{name}")]
    matches = [name] if name in paths else matches
    if len({id(paths[path]) for path in matches}) > 1:
        raise ConversionError(
            f"{what} has several layers {name!r}: name one of {', '.join(map(repr, matches))}"
        )
    if not matches:
        similar = ", ".join(map(repr, similar_names(name, paths, 5)))
        raise FeatureError(f"{what} has no layer {name!r}. Similar or last layers: {similar}")
    return paths[matches[0]]


def _layers(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield names and layers; layers of nested models are named `model/layer`."""
    for layer in getattr(model, "layers", ()):
        yield prefix + layer.name, layer
        yield from _layers(layer, f"{prefix}{layer.name}/")


def _check_model(model: Any, what: str) -> None:
    if isinstance(model, type) or not callable(model) or not hasattr(model, "layers"):
        raise ConversionError(f"{what} must be a Keras model; got {model!r}")
