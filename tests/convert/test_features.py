"""Which tensors become the features, and what the error offers if that is not clear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import feature_bases
import pytest
from convert_bases import classifier, dense, file
from convert_helpers import assert_keeps_the_contract

import sartor
from sartor.errors import ConversionError, FeatureError
from sartor.ops import relu

CLEAR: dict[str, tuple[Callable[..., bytes], Sequence[Any], tuple[int, ...], str]] = {
    "convolution as classifier": (feature_bases.squeezenet, (), (8,), "the mean over the positio"),
    "main and auxiliary": (feature_bases.auxiliary, ((0, 1),), (10,), "'main'"),
    "auxiliary and main": (feature_bases.auxiliary, ((1, 0),), (10,), "'main'"),
    "class and age": (feature_bases.two_tasks, ((0, 1),), (10,), "'classes'"),
    "age and class": (feature_bases.two_tasks, ((1, 0),), (10,), "'classes'"),
    "embedding": (feature_bases.embedder, (), (5,), "scaled to unit length"),
    "no classifier": (feature_bases.headless, (), (10,), "is not a classifier"),
}


@pytest.mark.parametrize("name", CLEAR)
def test_features_are_those_of_the_whole_base(name: str) -> None:
    build, arguments, shape, reason = CLEAR[name]
    conversion = sartor.convert(build(*arguments), classes=3)
    assert [spec.shape for spec in conversion.manifest.features] == [shape]
    assert reason in conversion.cut
    assert_keeps_the_contract(conversion)


@pytest.mark.parametrize("build", [feature_bases.auxiliary, feature_bases.two_tasks])
def test_a_note_names_the_features_of_the_other_output(build: Callable[[], bytes]) -> None:
    other = {"auxiliary": ("side pool", 4), "two_tasks": ("relu", 6)}[build.__name__]
    notes = sartor.convert(build(), classes=3).notes
    assert any(f"they would be '{other[0]}'" in note for note in notes), notes
    named = sartor.convert(build(), classes=3, features=other[0])
    assert named.manifest.features[0].shape == (other[1],)


def test_fewer_features_than_outputs_give_a_note() -> None:
    base = file(lambda x: classifier(dense(x, 2, "narrow")))
    assert sartor.convert(base, classes=3).notes == ()
    narrow = file(lambda x: dense(dense(x, 2, "narrow"), 5, "wide"))
    (note,) = sartor.convert(narrow, classes=3).notes
    assert "the features are 2 numbers, fewer than the 5 outputs" in note


UNCLEAR: dict[str, tuple[Callable[[], bytes], str, dict[tuple[str, ...], int]]] = {
    "two towers": (
        feature_bases.two_towers, "suggest different features", {("pool 6",): 6, ("pool 8",): 8},
    ),
    "segmentation": (
        feature_bases.segmentation, "are not clear", {("mean:small",): 6, ("small",): 96},
    ),
    "detector": (
        feature_bases.detector, "suggest different features",
        {("mean:second",): 8, ("second",): 128},
    ),
    "detections": (
        feature_bases.postprocessed_detector, "suggest different features",
        {("mean:second",): 8, ("second",): 128},
    ),
    "custom op": (feature_bases.custom_op_last, "does not have: FlexOdd", {("before",): 7}),
    "an op that LiteRT refuses": (
        feature_bases.size_from_input, "LiteRT cannot run the result", {("before",): 7},
    ),
    "no weights": (lambda: file(relu), "no layer with weights", {("relu",): 12}),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCLEAR)
def test_an_unclear_choice_is_refused_with_features_that_convert(name: str) -> None:
    build, message, choices = UNCLEAR[name]
    with pytest.raises(FeatureError, match=message) as error_info:
        sartor.convert(build(), classes=3)
    assert error_info.value.choices == choices
    for names, numbers in choices.items():
        assert f"features={names[0]!r} ({numbers} numbers)" in str(error_info.value)
        assert_keeps_the_contract(sartor.convert(build(), classes=3, features=names))


def test_a_tensor_without_a_name_of_its_own_has_a_handle() -> None:
    base = feature_bases.nameless()
    sizes = {}
    for index in range(12):
        try:
            conversion = sartor.convert(base, classes=3, features=f"tensor:{index}")
        except ConversionError:
            continue  # a constant
        sizes[index] = conversion.manifest.features[0].shape[0]
    assert sorted(sizes.values()) == [5, 5, 6, 6, 6]
    with pytest.raises(ConversionError, match="no tensor 'same'"):
        sartor.convert(base, classes=3, features="same")


def test_part_of_a_name_suggests_the_tensor_that_contains_it() -> None:
    with pytest.raises(ConversionError, match="Similar names: 'side pool'"):
        sartor.convert(feature_bases.auxiliary(), classes=3, features="de p")


def test_tensors_that_litert_cannot_dequantize_are_not_offered() -> None:
    base = feature_bases.int32_scaled()
    with pytest.raises(FeatureError, match=r"'wide'> cannot be a feature: .* Without features="):
        sartor.convert(base, classes=3, features="wide")


def test_the_mean_of_a_vector_is_refused() -> None:
    with pytest.raises(ConversionError, match="'mean:main pool' needs a tensor with positions"):
        sartor.convert(feature_bases.auxiliary(), classes=3, features="mean:main pool")
