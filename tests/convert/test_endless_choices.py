"""After a trial that does not finish, no other features are tried."""

from __future__ import annotations

from sartor import PersonalizableModel
from sartor._feature_choices import with_choices
from sartor.errors import ConversionError, FeatureError
from sartor.flatbuffer import read


def test_no_other_features_are_tried_after_a_hang(tiny_base: bytes) -> None:
    attempts = []

    def convert(names: tuple[str, ...]) -> PersonalizableModel:
        attempts.append(names)
        raise ConversionError("LiteRT cannot run the result: LiteRT does not finish within 120 s")

    error = with_choices(FeatureError("no layer"), read(tiny_base), convert)
    assert "no layer" in str(error)
    assert len(attempts) == 1
