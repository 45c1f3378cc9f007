"""Make the contract's models and vectors, or vectors for any personalizable file.

python contract/make.py                          write contract/cases again
python contract/make.py --model FILE -o FOLDER   vectors for FILE, with a copy of it
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from hand_made import (
    TwoMapHead,
    float_base,
    graph_head,
    int8_base,
    recurrent_base,
    two_feature_base,
    two_input_base,
)
from hand_made_maps import (
    convolution_head,
    float_tail,
    int8_map_base,
    map_base,
    residual_head,
    two_layer_base,
)
from reference import Reference
from vectors import record, to_json

import sartor
from sartor.flatbuffer import write
from sartor.heads import (
    MLP,
    CosineClassifier,
    FineTune,
    MultiLabelClassifier,
    Regressor,
    SoftmaxClassifier,
    TFLite,
)
from sartor.losses import Huber, SigmoidCrossEntropy
from sartor.optimizers import SGD, Adam, AdamW, RMSprop

__all__ = ["CASES", "main", "write_case"]

FOLDER = Path(__file__).parent / "cases"


def _int8_sgd() -> bytes:
    model = sartor.convert(write(int8_base()), classes=4, optimizer=SGD(momentum=0.9), batch_size=4)
    return model.content


def _float_adam() -> bytes:
    head = SoftmaxClassifier(label_smoothing=0.1)
    adam = Adam(learning_rate=0.01, weight_decay=0.01, epsilon=1e-3, clip_norm=0.5)
    names = ["cup", "key"]
    model = sartor.convert(
        write(float_base()), classes=names, capacity=5, head=head, optimizer=adam, batch_size=6
    )
    return model.content


def _two_features() -> bytes:
    model = sartor.convert(
        write(two_feature_base()), classes=3, head=TwoMapHead(), features=["fine", "coarse"],
        optimizer=SGD(momentum=0.5, nesterov=True), batch_size=3,
    )  # fmt: skip
    return model.content


def _two_inputs() -> bytes:
    model = sartor.convert(write(two_input_base()), classes=3, optimizer=SGD(), batch_size=4)
    return model.content


def _mlp_adamw() -> bytes:
    """Multi-label: a weight for each output."""
    head = MLP(hidden=(6, 5), loss=SigmoidCrossEntropy())
    adamw = AdamW(epsilon=1e-3, weight_decay=0.1)
    model = sartor.convert(write(float_base()), classes=3, head=head, optimizer=adamw, batch_size=4)
    return model.content


def _huber_rmsprop() -> bytes:
    head, rmsprop = Regressor(loss=Huber(0.5)), RMSprop(momentum=0.5, epsilon=1e-2, clip_norm=1.0)
    model = sartor.convert(
        write(two_input_base()), classes=3, head=head, optimizer=rmsprop, batch_size=4
    )
    return model.content


def _cosine() -> bytes:
    head = CosineClassifier(scale=2.0)
    model = sartor.convert(write(float_base()), classes=4, head=head, batch_size=4)
    return model.content


def _dropout() -> bytes:
    head, sgd = MLP(hidden=(8, 5), dropout=0.4), SGD(momentum=0.9, weight_decay=0.01)
    model = sartor.convert(write(float_base()), classes=3, head=head, optimizer=sgd, batch_size=6)
    return model.content


def _squared_error() -> bytes:
    head, sgd = Regressor(), SGD(clip_norm=0.5)
    model = sartor.convert(write(float_base()), classes=2, head=head, optimizer=sgd, batch_size=4)
    return model.content


def _multi_label() -> bytes:
    head, rmsprop = MultiLabelClassifier(), RMSprop(weight_decay=0.01, epsilon=1e-2)
    model = sartor.convert(
        write(two_input_base()), classes=4, head=head, optimizer=rmsprop, batch_size=4
    )
    return model.content


def _graph_head() -> bytes:
    head, sgd = TFLite(write(graph_head())), SGD(momentum=0.5)
    names = ["cup", "key", "pen"]
    model = sartor.convert(
        write(float_base()), classes=names, head=head, optimizer=sgd, batch_size=5
    )
    return model.content


def _convolution_head() -> bytes:
    head, sgd = TFLite(write(convolution_head())), SGD(momentum=0.9, clip_norm=1.0)
    model = sartor.convert(
        write(map_base()), classes=3, head=head, features="map", optimizer=sgd, batch_size=4
    )
    return model.content


def _residual_block() -> bytes:
    head, sgd = TFLite(write(residual_head())), SGD(momentum=0.9, nesterov=True)
    model = sartor.convert(
        write(map_base()), classes=3, head=head, features="map", optimizer=sgd, batch_size=4
    )
    return model.content


def _int8_base_float_tail() -> bytes:
    head, sgd = TFLite(write(float_tail())), SGD(momentum=0.9)
    model = sartor.convert(
        write(int8_map_base()), classes=4, head=head, features="map", optimizer=sgd, batch_size=5
    )
    return model.content


def _tuned_layers() -> bytes:
    head, adam = FineTune(1, rate=0.5), Adam(epsilon=1e-3)
    model = sartor.convert(
        write(two_layer_base()), classes=4, head=head, optimizer=adam, normalize=True, batch_size=5
    )
    return model.content


def _recurrent() -> bytes:
    model = sartor.convert(write(recurrent_base()), classes=3, optimizer=SGD(), batch_size=4)
    return model.content


CASES: dict[str, Callable[[], bytes]] = {
    "int8_sgd": _int8_sgd,
    "float_adam": _float_adam,
    "two_features": _two_features,
    "two_inputs": _two_inputs,
    "mlp_adamw": _mlp_adamw,
    "huber_rmsprop": _huber_rmsprop,
    "cosine": _cosine,
    "dropout": _dropout,
    "squared_error": _squared_error,
    "multi_label": _multi_label,
    "graph_head": _graph_head,
    "convolution_head": _convolution_head,
    "residual_block": _residual_block,
    "int8_base_float_tail": _int8_base_float_tail,
    "tuned_layers": _tuned_layers,
    "recurrent": _recurrent,
}
"""Name → function that returns the bytes of a model."""


def write_case(folder: Path, name: str, content: bytes) -> Path:
    """Write a model and its vectors; return the path of the vectors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tflite").write_bytes(content)
    path = folder / f"{name}.json"
    source = Reference(content).source
    path.write_text(to_json(f"{name}.tflite", record(content), source), encoding="utf-8")
    return path


def main() -> None:
    """Write the vectors that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, help="a personalizable .tflite file")
    parser.add_argument("--base", type=Path, help="a .tflite file to convert, for 10 classes")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, help="where to write")
    arguments = parser.parse_args()
    if arguments.model:
        models = {arguments.model.stem: arguments.model.read_bytes()}
    elif arguments.base:
        models = {arguments.base.stem: sartor.convert(arguments.base, classes=10).content}
    else:
        models = {name: make() for name, make in CASES.items()}
    for name, content in models.items():
        print(write_case(arguments.output, name, content))


if __name__ == "__main__":
    main()
