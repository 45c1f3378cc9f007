"""Named conventions for the scale of image inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import ConversionError

__all__ = ["CONVENTIONS", "Convention", "convention"]

_GREATEST = 1e6


@dataclass(frozen=True)
class Convention:
    """A preprocessing of images: `(pixel − mean) / std` of pixels 0…255.

    Attributes:
        mean, std: one value, or one for each channel in the order red, green, blue.
        bgr: the network takes the channels in the order blue, green, red.

    Raises:
        ConversionError: a value is not finite, or a deviation not above 0.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    bgr: bool = False

    def __post_init__(self) -> None:
        for values in (self.mean, self.std):
            if not values or not all(abs(value) < _GREATEST for value in values):
                raise ConversionError(
                    "mean and std take one finite value, or one for each channel; "
                    f"got {list(values)}"
                )
        if not all(value > 0 for value in self.std):
            raise ConversionError(f"std must be above 0, got {list(self.std)}")


CONVENTIONS: dict[str, Convention] = {
    "0..1": Convention((0.0,), (255.0,)),
    "-1..1": Convention((127.5,), (127.5,)),
    "0..255": Convention((0.0,), (1.0,)),
    "imagenet": Convention((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "caffe": Convention((123.68, 116.779, 103.939), (1.0,), bgr=True),
}
"""Name → convention. `imagenet` is torchvision's (Keras calls it `torch`), `-1..1` is Keras's `tf`,
and `caffe` takes blue before red and subtracts the mean of ImageNet."""


def convention(
    name: str | None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
) -> Convention | None:
    """Return the convention that a user has chosen; None if all arguments are None.

    Args:
        name: key of `CONVENTIONS`; excludes `mean` and `std`.
        mean: mean. Default: 0 if `std` is given.
        std: standard deviation. Default: 1 if `mean` is given.

    Raises:
        ConversionError: If the name is unknown, or is combined with `mean` or `std`.
    """
    if name is None and mean is None and std is None:
        return None
    if name is None:
        return Convention(
            _values(0.0 if mean is None else mean), _values(1.0 if std is None else std)
        )
    if mean is not None or std is not None:
        raise ConversionError(
            f"preprocessing={name!r} says mean and std already: leave them out, or the name"
        )
    if not isinstance(name, str) or name not in CONVENTIONS:
        raise ConversionError(
            f"preprocessing must be one of {', '.join(map(repr, CONVENTIONS))}; got {name!r}. "
            "For any other, give mean and std"
        )
    return CONVENTIONS[name]


def _values(value: float | Sequence[float]) -> tuple[float, ...]:
    values = (value,) if isinstance(value, int | float) else value
    try:
        return tuple(float(each) for each in values if not isinstance(each, str))
    except (TypeError, ValueError, OverflowError):
        raise ConversionError(
            f"mean and std take one finite value, or one for each channel; got {value!r}"
        ) from None
