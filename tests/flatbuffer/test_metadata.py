"""The standard metadata are read and written as other tools do."""

from __future__ import annotations

import base64
import dataclasses
import random
import zlib
from pathlib import Path

import pytest
from flatbuffer_helpers import MODELS

from sartor.errors import InvalidModelError
from sartor.flatbuffer import METADATA_NAME, decode_metadata, encode_metadata, read
from sartor.flatbuffer.metadata_tables import (
    AssociatedFile,
    AudioProperties,
    BertTokenizerOptions,
    BoundingBoxProperties,
    ColorSpace,
    Content,
    CustomMetadata,
    FeatureProperties,
    FileType,
    ImageProperties,
    ImageSize,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    RegexTokenizerOptions,
    ScoreCalibrationOptions,
    ScoreThresholdingOptions,
    SentencePieceTokenizerOptions,
    Stats,
    SubGraphMetadata,
    TensorGroup,
    TensorMetadata,
    ValueRange,
)

LABELS = AssociatedFile("l.txt", "d", FileType.TENSOR_AXIS_LABELS, "de", "v1")
IMAGE = TensorMetadata(
    "i",
    "id",
    ("a", "b"),
    Content(ImageProperties(ColorSpace.RGB, ImageSize(3, 4)), ValueRange(1, 2)),
    (ProcessUnit(NormalizationOptions((1.5, 2.5, 3.5), (4.0, 5.0, 6.0))),),
    Stats((1.0,), (0.0,)),
    (LABELS,),
)
SCORES = TensorMetadata(
    "o",
    content=Content(FeatureProperties()),
    process_units=(
        ProcessUnit(ScoreCalibrationOptions(1, 0.5)),
        ProcessUnit(ScoreThresholdingOptions(0.25)),
    ),
    associated_files=(LABELS,),
)
FULL = ModelMetadata(
    "n",
    "d",
    "v",
    (
        SubGraphMetadata(
            "s",
            "sd",
            (
                IMAGE,
                TensorMetadata("b", content=Content(BoundingBoxProperties((0, 2, 1, 3), 2, 1))),
                TensorMetadata("au", content=Content(AudioProperties(16000, 1))),
            ),
            (SCORES,),
            (LABELS,),
            (
                ProcessUnit(BertTokenizerOptions((LABELS,))),
                ProcessUnit(SentencePieceTokenizerOptions((LABELS,), (LABELS,))),
                ProcessUnit(RegexTokenizerOptions("\\W+", (LABELS,))),
            ),
            (ProcessUnit(),),
            (TensorGroup("g", ("i", "b")),),
            (TensorGroup("h", ("o",)),),
            (CustomMetadata("c", b"\x01\x02\x03"),),
        ),
    ),
    "a",
    "Apache-2.0",
    (LABELS,),
    "1.5.0",
)
# FULL, packed by the code that MediaPipe 0.10 generated from the schema.
PACKED = (
    "c-pO0ze^)Q6n^_7xitn2VT%-7q!1C*kO&7?X%0ke1Peh63!{-+K~yk`g&Y=F$W>QdAy-"
    "*g`bYQ&SXx|hg<Nr!rG;S3_`R98*^z)na?5_anYZtK@0+(X6A{r;wOR{ljLH;Ii9#w+o&xeQBKU|VfEZ{2C%|2X="
    "r`~Oz)Q8t$4V8}0es-"
    "=vr?Q}BK^2*BOU<9HDjCGCca6AW4F>eVg4NO`Jk~CZ%@xKDaSN~JJOs}(9^56Bsv#?1K<j{20|2D0V0nmk3xk^s&"
    "gJX1K2#^aShkg-"
    "?pr^#1a!)KDPT}W6S?jV#~7Df)&3hc1P?NEAPjPQe3|P$FBGug$qyiLB@+#&fj+bJ?2{LtCO_W?$*dGw|i?Wy!2l"
    "q;rKoP$5X1$|JPB<x7Yt4w2gNL<1l$ey$eb2qd+qk<=-"
    "y@=fH(k^Va}1UD;dAv!RsYeM??e@Bgf(JDZ*AbbIE0!Wedr%g=Wt9%G;UH~ZL=^HLY?J7qXn*J;Y<w=i~e6{Dqb#"
    "A`OI=FGgTn|T79<RSP1@sXF)ksqKmXJoj()FWA&lbl0+UWz?uyeOLZjC=!bx#tKT1121k7izW<$s5&qBjWF;=dnu"
    "f2uHLUdp4K+(@WLuk#nKa`@%DEXvZaRQ#bP){Esr`8+E?z5{)^j5sAio@FYD6@MYNUCES7ZBoGbWJ9kb)zU?&AJB"
    "a6pGC!2KV@i9#b`N+3i~Fw?"
)


def test_metadata_packed_by_mediapipe_are_read() -> None:
    assert decode_metadata(zlib.decompress(base64.b85decode(PACKED))) == FULL


def test_no_field_is_lost() -> None:
    assert decode_metadata(encode_metadata(FULL)) == FULL
    assert decode_metadata(encode_metadata(ModelMetadata())) == ModelMetadata()


def test_properties_give_the_values_for_conversion() -> None:
    assert IMAGE.normalization == NormalizationOptions((1.5, 2.5, 3.5), (4.0, 5.0, 6.0))
    assert IMAGE.image == ImageProperties(ColorSpace.RGB, ImageSize(3, 4))
    assert SCORES.label_files == (LABELS,)
    assert SCORES.image is None
    assert SCORES.normalization is None
    assert TensorMetadata().label_files == ()
    assert TensorMetadata().image is None


@pytest.mark.parametrize(
    "path", [path for path in MODELS if "mobilenet" in path.name], ids=lambda path: path.stem
)
def test_the_metadata_of_real_models_are_read(path: Path) -> None:
    model = read(path)
    metadata = decode_metadata(model.metadata[METADATA_NAME])
    (graph,) = metadata.subgraph_metadata
    (image,), (scores,) = graph.input_tensor_metadata, graph.output_tensor_metadata
    assert (metadata.name, metadata.min_parser_version) == ("ImageClassifier", "1.0.0")
    assert image.image == ImageProperties(ColorSpace.RGB)
    assert image.normalization == NormalizationOptions((127.5,), (127.5,))
    assert [file.name for file in scores.label_files] == list(model.files)
    assert decode_metadata(encode_metadata(metadata)) == metadata


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "b'M001' at byte 4; got 0 bytes that begin with b''. Remove the metadata"),
        (b"\x08\0\0\0TFL3", "b'M001' at byte 4"),
        (encode_metadata(FULL)[:300], "expected a multiple of 4, and an end before"),
    ],
)
def test_damaged_metadata_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidModelError, match=message):
        decode_metadata(content)


def test_flipped_bits_are_refused_or_give_metadata() -> None:
    valid = encode_metadata(FULL)
    for seed in range(500):
        rng = random.Random(seed)
        content = bytearray(valid)
        content[rng.randrange(8, len(valid))] ^= 1 << rng.randrange(8)
        try:
            encode_metadata(decode_metadata(bytes(content)))
        except InvalidModelError:
            continue


def test_a_value_of_the_wrong_type_is_named() -> None:
    wrong = dataclasses.replace(IMAGE, name=3)  # type: ignore[arg-type]
    graph = SubGraphMetadata(input_tensor_metadata=(wrong,))
    with pytest.raises(InvalidModelError, match=r"TensorMetadata\.name is 3, expected a string"):
        encode_metadata(ModelMetadata(subgraph_metadata=(graph,)))
    large = ModelMetadata(associated_files=(AssociatedFile("a", type=1000),))
    with pytest.raises(InvalidModelError, match=r"AssociatedFile\.type is 1000"):
        encode_metadata(large)
