"""Facts about real models, checked by other means."""

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


def described(path: Path) -> ModelDescription:
    found = sartor.describe(path)
    assert isinstance(found, ModelDescription)
    return found


def test_sizes_and_costs_match_the_publications(real_model: Path) -> None:
    found = described(real_model)
    quantization, parameters, multiply_adds = FACTS[real_model.stem]
    assert (found.kind, found.bytes) == ("model", real_model.stat().st_size)
    assert found.quantization == quantization
    assert found.parameters == parameters == sum(each.parameters for each in found.layers)
    assert found.multiply_adds == pytest.approx(multiply_adds, rel=0.02)
    assert found.multiply_adds == sum(op.multiply_adds or 0 for op in found.ops)
    assert (found.uncounted, found.conversion_error, found.signatures, found.variables) == (
        (),
        None,
        (),
        (),
    )


def test_inputs_outputs_and_ops_match_the_interpreter(real_model: Path) -> None:
    found, interpreter = described(real_model), Interpreter(str(real_model))
    for facts, details in (
        (found.inputs, interpreter.get_input_details()),
        (found.outputs, interpreter.get_output_details()),
    ):
        (one,), (other,) = facts, details
        assert (one.name, one.shape) == (other["name"], tuple(other["shape"]))
        assert np.dtype(one.dtype) == other["dtype"]
        assert (one.scale or 0, one.zero_point or 0) == other["quantization"]
    ops = [op["op_name"] for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]
    assert {op.op: op.count for op in found.ops} == {name: ops.count(name) for name in ops}


def test_the_default_matches_convert(real_model: Path) -> None:
    found = described(real_model)
    (default,) = (cut for cut in found.cuts if cut.is_default)
    made = sartor.convert(real_model, classes=3)
    assert made.cut == found.default_reason
    named = sartor.convert(real_model, classes=3, features=default.features)
    assert named.manifest.features == made.manifest.features
    assert named.manifest.fingerprints == made.manifest.fingerprints


def test_convert_accepts_every_cut(real_model: Path) -> None:
    """And a store keeps as many bytes of its features as were told."""
    found = described(real_model)
    useful = [cut for cut in found.cuts if cut.is_useful]
    chosen = {id(cut): cut for cut in (*useful[:6], useful[-1], *found.cuts[::9])}.values()
    for cut in chosen:
        made = sartor.convert(real_model, classes=2, batch_size=1, features=cut.features)
        specs = made.manifest.features
        assert [spec.dtype for spec in specs] == [each.dtype for each in cut.tensors]
        sizes = [int(np.prod(each.shape)) for each in cut.tensors]
        assert [int(np.prod(spec.shape)) for spec in specs] == sizes
        row = [_some(spec, np.random.default_rng(0)) for spec in specs]
        assert len(FeatureCodec(specs).encode([row])[1]) == cut.bytes_per_sample


def _some(spec: FeatureSpec, rng: np.random.Generator) -> np.ndarray:
    """Features as the base could give them: float32 [1, …]."""
    if spec.scale is None:
        return rng.normal(size=(1, *spec.shape)).astype(np.float32)
    limits = np.iinfo(spec.dtype)
    integers = rng.integers(limits.min, limits.max + 1, (1, *spec.shape))
    exact: np.ndarray = (integers - (spec.zero_point or 0)).astype(np.float32)
    exact *= np.float32(spec.scale)
    return exact


def test_cuts_go_from_the_outputs_to_the_inputs(real_model: Path) -> None:
    found = described(real_model)
    before = [cut.multiply_adds_before for cut in found.cuts]
    assert before == sorted(before, reverse=True)
    after = [cut.parameters_after for cut in found.cuts]
    assert after == sorted(after)
    assert (before[0], before[-1], after[-1]) == (found.multiply_adds, 0, found.parameters)
    for cut in found.cuts:
        assert cut.multiply_adds_before + cut.multiply_adds_after == found.multiply_adds
    assert found.cuts[-1].tensors == found.inputs
    listed = [cut.bytes_per_sample for cut in found.cuts if cut.is_useful and not cut.is_default][
        :-1
    ]
    assert listed == sorted(listed), "a useful cut that is further back takes more bytes"


def test_gradients_reach_the_trainable_layers(real_model: Path) -> None:
    """The dense layers behind the pool; convolutions have no rule yet, nor have pools."""
    found = described(real_model)
    could = [each for each in found.layers if each.trainable]
    dense = [op for op in found.ops if op.op == "FULLY_CONNECTED"]
    assert [each.op for each in could] == ["FULLY_CONNECTED"] * len(dense)
    assert [each.reason for each in could] == (
        ["yes" if could[0].dtypes == ("float32",) else "yes, after dequantization"] if could else []
    )
    (stop,) = found.gradient_stops
    assert stop.support == "not yet supported"
    assert stop.op in {"CONV_2D", "AVERAGE_POOL_2D"}
    assert f"the gradient of <{stop.op}" in stop.reason
    assert all(
        stop.op in each.reason or "not yet" in each.reason for each in found.layers[len(could) :]
    )
    trainable = sum(each.parameters for each in could)
    assert found.cuts[-1].trainable_after == trainable
