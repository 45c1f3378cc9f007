"""Random numbers, spectra and complex numbers."""

from __future__ import annotations

from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, register

register(
    OpRow(
        "RANDOM_UNIFORM",
        integers=(0,),
        gradients=(NOT_DIFFERENTIABLE,),
        size_input=0,
        shape_input=0,
    ),
    OpRow(
        "RANDOM_STANDARD_NORMAL",
        integers=(0,),
        gradients=(NOT_DIFFERENTIABLE,),
        size_input=0,
        shape_input=0,
    ),
    OpRow("MULTINOMIAL", gradients=(NOT_DIFFERENTIABLE,), inputs=2),
    OpRow("RFFT2D", integers=(1,), gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE), inputs=2),
    OpRow("COMPLEX_ABS"),
    OpRow("REAL"),
    OpRow("IMAG"),
    family="Random and complex numbers",
)
