"""The spoken digits as 49 x 10 MFCCs, computed with NumPy only.

Frames of 30 ms every 20 ms, 40 mel bands from 20 to 4000 Hz, 10 coefficients, as for the
keyword-spotting model of MLPerf Tiny.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

import sartor
from sartor import PersonalModel
from sartor.litert import Engine

from .harness import shared
from .samples import Samples

__all__ = ["KEYWORDS", "embed_digits"]

KEYWORDS = "kws_ref_model_float32.tflite"
"""File name of the base."""

_RATE, _FRAME, _STEP, _FRAMES, _SPECTRUM = 16000, 480, 320, 49, 512
_BANDS, _COEFFICIENTS, _LOWEST, _HIGHEST = 40, 10, 20, 4000


def embed_digits(folder: Path) -> Samples:
    """Return the features of all recordings; the labels are the digits.

    Args:
        folder: folder for the converted file.
    """
    file = sartor.convert(shared("models", KEYWORDS), classes=10).save(folder / KEYWORDS)
    paths = sorted(shared("data", "spoken_digits").glob("*.wav"))
    with PersonalModel(file) as model:
        engine = Engine(file, model.manifest)
        name = model.manifest.inputs[0].name
        rows = [engine.run("infer", {name: _coefficients(path)})["features"] for path in paths]
    return Samples(np.concatenate(rows), np.array([path.name[0] for path in paths]))


def _coefficients(path: Path) -> np.ndarray:
    """Return the MFCCs, float32 [1, 49, 10, 1]."""
    with wave.open(str(path)) as file:
        is_16_bit = file.getframerate() * 2 == _RATE and file.getsampwidth() == 2
        if not is_16_bit or file.getnchannels() != 1:
            raise ValueError(f"{path}: expected 16-bit mono at {_RATE // 2} Hz")
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    doubled = np.fft.irfft(np.fft.rfft(sound), 2 * len(sound))[:_RATE]
    doubled = np.pad(doubled / max(np.abs(doubled).max(), 1e-12), (0, _RATE - len(doubled)))
    starts = _STEP * np.arange(_FRAMES)[:, None] + np.arange(_FRAME)
    spectrum = np.abs(np.fft.rfft(doubled[starts] * np.hanning(_FRAME + 1)[:-1], _SPECTRUM))
    bands = np.log(spectrum @ _mel_bands() + 1e-6)
    orders = np.arange(_COEFFICIENTS)[:, None] * (np.arange(_BANDS) + 0.5) * np.pi / _BANDS
    coefficients = bands @ (2 * np.cos(orders)).T / np.sqrt(2 * _BANDS)
    return np.asarray(coefficients[None, :, :, None], np.float32)


def _mel_bands() -> np.ndarray:
    """Return triangles on the mel scale, [257, 40]."""

    def mel(hertz: np.ndarray) -> np.ndarray:
        return np.asarray(1127 * np.log1p(hertz / 700))

    lowest, highest = mel(np.array([_LOWEST, _HIGHEST]))
    edges = np.linspace(lowest, highest, _BANDS + 2)
    bins = mel(np.fft.rfftfreq(_SPECTRUM, 1 / _RATE))[:, None]
    low, center, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (center - low), (high - bins) / (high - center)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))
