"""The spoken digits, as inputs of the keyword-spotting model of MLPerf Tiny.

That model was trained on MFCCs of one second at 16 kHz, which its `get_dataset.py` computes with
`tf.signal`. This module computes them with NumPy and SciPy:

- the recording (8 kHz) is resampled to 16 kHz, divided by its maximum, and padded to one second;
- 49 frames of 30 ms every 20 ms, Hann window (periodic), magnitudes of an FFT of 512;
- 40 triangles from 20 to 4,000 Hz, equidistant in mel `1127 · ln(1 + f/700)`; `ln(energy + 1e-6)`;
- the first 10 coefficients of the DCT-II, times `√(1 / 80) · 2`.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TypeAlias

import numpy as np

from .harness import shared

__all__ = ["KEYWORDS", "spoken"]

Pair: TypeAlias = "tuple[np.ndarray, str]"

KEYWORDS = "kws_ref_model_float32.tflite"
"""File name of the base."""

_RATE, _FRAMES, _WINDOW, _HOP, _FFT = 16_000, 49, 480, 320, 512
_LOWEST, _HIGHEST, _BANDS, _COEFFICIENTS = 20.0, 4000.0, 40, 10
_TO_VALIDATE = 10  # the first of the 50 takes that each speaker recorded of each digit


def spoken() -> tuple[list[Pair], list[Pair]]:
    """Return the MFCCs, float32 [49, 10, 1], and digits of 1,200 training and 300 test takes."""
    train: list[Pair] = []
    test: list[Pair] = []
    for path in sorted(shared("data", "spoken_digits").glob("*.wav")):
        digit, _, take = path.stem.split("_")
        part = train if int(take) >= _TO_VALIDATE else test
        part.append((_mfccs(_recording(path))[..., np.newaxis], digit))
    return train, test


def _recording(path: Path) -> np.ndarray:
    """Return the recording at 16 kHz, float64."""
    from scipy.signal import resample_poly

    with wave.open(str(path)) as recording:
        samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
        rate = recording.getframerate()
    return np.asarray(resample_poly(samples.astype(np.float64), _RATE, rate))


def _mfccs(samples: np.ndarray) -> np.ndarray:
    """Return the MFCCs, float32 [49, 10]."""
    second = np.zeros(_RATE)
    scaled = samples[:_RATE] / samples.max()
    second[: len(scaled)] = scaled
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    frames = np.stack([second[i * _HOP :][:_WINDOW] * window for i in range(_FRAMES)])
    energies = np.abs(np.fft.rfft(frames, _FFT)) @ _triangles()
    return np.asarray(np.log(energies + 1e-6) @ _cosines(), np.float32)


def _triangles() -> np.ndarray:
    """Return the weight of each frequency in each band, [257, 40]; that of 0 Hz is 0."""
    bins = _mel(np.linspace(0, _RATE / 2, _FFT // 2 + 1))[:, np.newaxis]
    edges = np.linspace(_mel(_LOWEST), _mel(_HIGHEST), _BANDS + 2)
    low, center, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (center - low), (high - bins) / (high - center)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def _cosines() -> np.ndarray:
    """Return the matrix of the DCT, [40, 10]."""
    angles = np.outer(np.arange(_BANDS) + 0.5, np.arange(_COEFFICIENTS)) * np.pi / _BANDS
    return np.asarray(np.cos(angles) * 2 / np.sqrt(2 * _BANDS))


def _mel(frequency: float | np.ndarray) -> np.ndarray:
    return np.asarray(1127 * np.log1p(np.asarray(frequency) / 700))
