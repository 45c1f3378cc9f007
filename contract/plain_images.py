"""The images and the full store of docs/recipe.md in plain NumPy, written from that page alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from plain import Floats, Numbers

__all__ = ["Augmentation", "augment", "center_box", "decode", "evict", "normalize", "resize"]

Pixels = NDArray[np.uint8]

_LATEST = 64  # number of the last samples of a class to compare in a full store


def decode(image: Pixels, orientation: int, channels: int) -> Pixels:
    """Return pixels [H, W, 3 or 4] upright, on white, in RGB or gray.

    Args:
        image: uint8 [H, W, 3], or [H, W, 4] with transparency.
        orientation: EXIF orientation, 1…8.
        channels: 3 for RGB, 1 for gray.
    """
    upright = _upright(image, orientation).astype(np.int64)
    color, alpha = upright[..., :3], upright[..., 3:]
    if alpha.size:
        color = np.floor(color * alpha / 255 + (255 - alpha) + 0.5).astype(np.int64)
    if channels == 1:
        red, green, blue = np.moveaxis(color, 2, 0)
        color = ((19595 * red + 38470 * green + 7471 * blue + 32768) // 65536)[..., None]
    return color.astype(np.uint8)


def _upright(image: Pixels, orientation: int) -> Pixels:
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image


def center_box(width: int, height: int, to_width: int, to_height: int) -> tuple[int, ...]:
    """Return left, top, width and height of the center crop."""
    if width * to_height > height * to_width:
        side = min(width, max(1, math.floor(height * to_width / to_height + 0.5)))
        return (width - side) // 2, 0, side, height
    side = min(height, max(1, math.floor(width * to_height / to_width + 0.5)))
    return 0, (height - side) // 2, width, side


def resize(image: Pixels, height: int, width: int) -> Pixels:
    """Return an image [H, W, C] with another height and width."""
    rows = _levels(np.einsum("xi,yic->yxc", _filter(image.shape[1], width), image))
    return _levels(np.einsum("yi,ixc->yxc", _filter(image.shape[0], height), rows))


def _filter(size: int, to: int) -> Floats:
    """Return the weight of each old pixel in each new one, [to, size]."""
    ratio = size / to
    centers = (np.arange(to) + 0.5) * ratio
    distance = np.abs(np.arange(size) + 0.5 - centers[:, None])
    weights = np.maximum(0, 1 - distance / max(1.0, ratio))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _levels(values: Floats) -> Pixels:
    return np.floor(values + 0.5).astype(np.uint8)


def normalize(pixels: Floats, mean: Sequence[float], std: Sequence[float]) -> Floats:
    """Return the values of a float32 input for pixels [..., C]."""
    return np.asarray((pixels - np.asarray(mean)) / np.asarray(std))


@dataclass(frozen=True)
class Augmentation:
    """An augmentation: a crop, a gain in units of 1/256, and whether it is mirrored."""

    left: int
    top: int
    width: int
    height: int
    gain: int
    mirrored: bool

    def pixels(self, image: Pixels, height: int, width: int) -> Pixels:
        """Return the augmented input of an upright image."""
        crop = image[self.top : self.top + self.height, self.left : self.left + self.width]
        small = resize(crop, height, width)
        if self.mirrored:
            small = small[:, ::-1]
        levels = np.minimum(255, (small.astype(int) * self.gain + 128) // 256)
        return np.asarray(levels, np.uint8)


def augment(
    size: tuple[int, int], to: tuple[int, int], identity: bytes, count: int
) -> list[Augmentation]:
    """Return the first augmentations of a sample.

    Args:
        size: width and height of the image.
        to: width and height of the input.
        identity: identity of the sample.
        count: number of augmentations.
    """
    numbers = Numbers(int.from_bytes(identity[:4], "little"))
    _, _, width, height = center_box(*size, *to)
    result = []
    for i in range(1, count + 1):
        a, b, c, d = (numbers.next() // 65536 for _ in range(4))
        share = 45875 * 65536 + 19661 * a
        w, h = max(1, width * share // 2**32), max(1, height * share // 2**32)
        left, top = b * (size[0] - w + 1) // 65536, c * (size[1] - h + 1) // 65536
        result.append(Augmentation(left, top, w, h, 179 + 155 * d // 65536, i % 2 == 1))
    return result


def evict(ids: list[int], classes: list[int], features: Floats, limit: int) -> list[int]:
    """Return the positions of the samples that stay in a store; the last one is the newest.

    Args:
        ids: ID of each sample, rising.
        classes: number of the class of each sample.
        features: [N, F].
        limit: largest number of samples.
    """
    stay = list(range(len(ids)))
    newest, pair = stay[-1], True
    while len(stay) > limit:
        members = _largest_class(stay, classes, newest)
        candidates = (_closest(members[-_LATEST:], features) if pair else None) or members
        pair = False
        draws = {i: Numbers(ids[i]).next() for i in candidates if i != newest}
        stay.remove(min(draws, key=lambda i: draws[i]))
    return stay


def _largest_class(stay: list[int], classes: list[int], newest: int) -> list[int]:
    by_class = {c: [i for i in stay if classes[i] == c] for c in sorted(set(classes))}
    possible = [each for each in by_class.values() if set(each) - {newest}]
    return max(possible, key=len)


def _closest(members: list[int], features: Floats) -> list[int] | None:
    """Return the two closest samples if they are near-duplicates."""
    if len(members) < 3:
        return None
    pairs = [(i, j) for n, i in enumerate(members) for j in members[n + 1 :]]
    distances = [float(np.sqrt(((features[i] - features[j]) ** 2).sum())) for i, j in pairs]
    closest = int(np.argmin(distances))
    if distances[closest] < sorted(distances)[len(distances) // 2] / 2:
        return list(pairs[closest])
    return None
