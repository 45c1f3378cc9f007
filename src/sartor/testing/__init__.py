"""What Sartor is tested with, for the tests of its users too."""

from .gradients import GradientCheck, Uniform, check_gradients, interpret
from .verify import Check, Report, verify_contract

__all__ = [
    "Check",
    "GradientCheck",
    "Report",
    "Uniform",
    "check_gradients",
    "interpret",
    "verify_contract",
]
