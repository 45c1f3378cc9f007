"""Descriptions of real models agree with publications, the interpreter and `convert`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import sartor
from sartor.contract.manifest import FeatureSpec
from sartor.inspection import ModelDescription
from sartor.runtime.store.codec import FeatureCodec

# File → quantization, parameters, multiply-adds. MobileNetV2 1.0 has 300 million (Sandler et al.,
# 2018, table 4) and 3.5 million parameters, MobileNetV1 0.25 of 128 pixels 14 and 0.47 million
# (Howard et al., 2017, tables 6 and 7); MLPerf Tiny states 12.5 million for ResNet-8, 7.5 for
# visual wake words and 2.7 for keyword spotting (Banbury et al., 2021).
FACTS = {
    "kws_ref_model": ("int8, per channel", 22_604, 2.7e6),
    "kws_ref_model_float32": ("int8 weights (dynamic range) and float32", 22_604, 2.7e6),
    "mobilenet_v1_0.25_128_quant": ("uint8", 467_593, 13.6e6),
    "mobilenet_v2_1.0_224_quant": ("uint8", 3_489_097, 300.8e6),
    "pretrainedResnet": ("float32", 77_706, 12.5e6),
    "tf2_mobilenet_v2_1.0_224_ptq": ("int8, per channel", 3_489_097, 300.8e6),
    "vww_96_float": ("float32", 210_850, 7.5e6),
    "vww_96_int8": ("int8, per channel", 210_850, 7.5e6),
}


def describe_model(path: Path) -> ModelDescription:
    description = sartor.describe(path)
    assert isinstance(description, ModelDescription)
    return description


def test_sizes_and_costs_match_the_publications(real_model: Path) -> None:
    description = describe_model(real_model)
    quantization, parameters, multiply_adds = FACTS[real_model.stem]
    assert (description.kind, description.bytes) == ("model", real_model.stat().st_size)
    assert description.quantization == quantization
    assert (
        description.parameters == parameters == sum(each.parameters for each in description.layers)
    )
    assert description.multiply_adds == pytest.approx(multiply_adds, rel=0.02)
    assert description.multiply_adds == sum(op.multiply_adds or 0 for op in description.ops)
    assert (
        description.uncounted,
        description.conversion_error,
        description.signatures,
        description.variables,
    ) == (
        (),
        None,
        (),
        (),
    )


def test_inputs_outputs_and_ops_match_the_interpreter(real_model: Path) -> None:
    description, interpreter = describe_model(real_model), Interpreter(str(real_model))
    for facts, details in (
        (description.inputs, interpreter.get_input_details()),
        (description.outputs, interpreter.get_output_details()),
    ):
        (actual,), (expected,) = facts, details
        assert (actual.name, actual.shape) == (expected["name"], tuple(expected["shape"]))
        assert np.dtype(actual.dtype) == expected["dtype"]
        assert (actual.scale or 0, actual.zero_point or 0) == expected["quantization"]
    ops = [op["op_name"] for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]
    assert {op.op: op.count for op in description.ops} == {name: ops.count(name) for name in ops}


def test_the_default_matches_convert(real_model: Path) -> None:
    description = describe_model(real_model)
    (default,) = (cut for cut in description.cuts if cut.is_default)
    model = sartor.convert(real_model, classes=3)
    assert model.cut == description.default_reason
    named_model = sartor.convert(real_model, classes=3, features=default.features)
    assert named_model.manifest.features == model.manifest.features
    assert named_model.manifest.fingerprints == model.manifest.fingerprints


def test_convert_accepts_every_cut(real_model: Path) -> None:
    """A store needs the stated bytes for the features."""
    description = describe_model(real_model)
    useful = [cut for cut in description.cuts if cut.is_useful]
    cuts = {id(cut): cut for cut in (*useful[:6], useful[-1], *description.cuts[::9])}.values()
    for cut in cuts:
        model = sartor.convert(
            real_model, classes=2, batch_size=1, features=cut.features, normalize=False
        )
        specs = model.manifest.features
        assert [spec.dtype for spec in specs] == [each.dtype for each in cut.tensors]
        sizes = [int(np.prod(each.shape)) for each in cut.tensors]
        assert [int(np.prod(spec.shape)) for spec in specs] == sizes
        row = [_random_features(spec, np.random.default_rng(0)) for spec in specs]
        assert len(FeatureCodec(specs).encode([row])[1]) == cut.bytes_per_sample


def _random_features(spec: FeatureSpec, rng: np.random.Generator) -> np.ndarray:
    """Return random features that the base could compute: float32 [1, …]."""
    if spec.scale is None:
        return rng.normal(size=(1, *spec.shape)).astype(np.float32)
    limits = np.iinfo(spec.dtype)
    integers = rng.integers(limits.min, limits.max + 1, (1, *spec.shape))
    features: np.ndarray = (integers - (spec.zero_point or 0)).astype(np.float32)
    features *= np.float32(spec.scale)
    return features


def test_cuts_go_from_the_outputs_to_the_inputs(real_model: Path) -> None:
    description = describe_model(real_model)
    before = [cut.multiply_adds_before for cut in description.cuts]
    assert before == sorted(before, reverse=True)
    after = [cut.parameters_after for cut in description.cuts]
    assert after == sorted(after)
    assert (before[0], before[-1], after[-1]) == (
        description.multiply_adds,
        0,
        description.parameters,
    )
    for cut in description.cuts:
        assert cut.multiply_adds_before + cut.multiply_adds_after == description.multiply_adds
    assert description.cuts[-1].tensors == description.inputs
    sizes = [
        cut.bytes_per_sample for cut in description.cuts if cut.is_useful and not cut.is_default
    ][:-1]
    assert sizes == sorted(sizes), "an earlier useful cut must take more bytes"


def test_gradients_reach_all_layers(real_model: Path) -> None:
    description = describe_model(real_model)
    assert not description.gradient_stops
    for layer in description.layers:
        is_float = set(layer.dtypes) == {"float32"}
        assert layer.reason == ("yes" if is_float else "yes, after dequantization")
    assert description.cuts[-1].trainable_after == description.parameters
