"""What Sartor is tested with, for the tests of its users too."""

from .gradients import GradientCheck, Uniform, check_gradients, interpret

__all__ = ["GradientCheck", "Uniform", "check_gradients", "interpret"]
