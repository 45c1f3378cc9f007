"""The spoken digits, as the keyword-spotting model of MLPerf Tiny hears them.

That model was trained on MFCCs of one second at 16 kHz, as its `get_dataset.py` makes them with
`tf.signal`; the same here with NumPy and SciPy:

- the recording, 8 kHz, resampled to 16 kHz, divided by its maximum, padded with zeros to a second;
- 49 frames of 30 ms every 20 ms, Hann window (periodic), magnitudes of an FFT of 512;
- 40 triangles from 20 to 4,000 Hz, even in mel `1127 · ln(1 + f/700)`; `ln(energy + 1e-6)`;
- the first 10 coefficients of the DCT-II, times `√(1 / 80) · 2`.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from sartor.litert import Engine, open_model

from .harness import shared
from .photos import Photos

__all__ = ["KEYWORDS", "spoken"]

KEYWORDS = "kws_ref_model_float32.tflite"
"""The base."""

_RATE, _FRAMES, _WINDOW, _HOP, _FFT = 16_000, 49, 480, 320, 512
_LOWEST, _HIGHEST, _BANDS, _COEFFICIENTS = 20.0, 4000.0, 40, 10
_TO_VALIDATE = 10  # of the 50 takes that each speaker made of each digit, the first


def spoken(file: Path) -> tuple[Photos, Photos]:
    """The features of 1,200 recordings to learn from, and of 300 to validate."""
    manifest = open_model(file)
    engine = Engine(file, manifest)
    spec = manifest.inputs[0]
    rows, labels, takes = [], [], []
    for path in sorted(shared("data", "spoken_digits").glob("*.wav")):
        digit, _, take = path.stem.split("_")
        inputs = {spec.name: _mfccs(_recording(path)).reshape(spec.shape)}
        rows.append(engine.run("infer", inputs)["features"])
        labels.append(digit)
        takes.append(int(take))
    features, names = np.concatenate(rows), np.array(labels)
    kept = np.array(takes) >= _TO_VALIDATE
    return Photos(features[kept], names[kept]), Photos(features[~kept], names[~kept])


def _recording(path: Path) -> np.ndarray:
    """Samples at 16 kHz, float64."""
    from scipy.signal import resample_poly

    with wave.open(str(path)) as recording:
        samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
        rate = recording.getframerate()
    return np.asarray(resample_poly(samples.astype(np.float64), _RATE, rate))


def _mfccs(samples: np.ndarray) -> np.ndarray:
    """float32 [49, 10]."""
    second = np.zeros(_RATE)
    heard = samples[:_RATE] / samples.max()
    second[: len(heard)] = heard
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    frames = np.stack([second[i * _HOP :][:_WINDOW] * window for i in range(_FRAMES)])
    energies = np.abs(np.fft.rfft(frames, _FFT)) @ _triangles()
    return np.asarray(np.log(energies + 1e-6) @ _cosines(), np.float32)


def _triangles() -> np.ndarray:
    """[257, 40]: how much of each frequency goes into each band; nothing of 0 Hz."""
    bins = _mel(np.linspace(0, _RATE / 2, _FFT // 2 + 1))[:, np.newaxis]
    edges = np.linspace(_mel(_LOWEST), _mel(_HIGHEST), _BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def _cosines() -> np.ndarray:
    """[40, 10]."""
    angles = np.outer(np.arange(_BANDS) + 0.5, np.arange(_COEFFICIENTS)) * np.pi / _BANDS
    return np.asarray(np.cos(angles) * 2 / np.sqrt(2 * _BANDS))


def _mel(frequency: float | np.ndarray) -> np.ndarray:
    return np.asarray(1127 * np.log1p(np.asarray(frequency) / 700))
