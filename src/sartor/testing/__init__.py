"""Tools for tests: the gradient checker and the contract verifier."""

from .gradients import GradientCheck, Uniform, check_gradients
from .run import run_graph
from .verify import Check, Report, verify_contract

__all__ = [
    "Check",
    "GradientCheck",
    "Report",
    "Uniform",
    "check_gradients",
    "run_graph",
    "verify_contract",
]
