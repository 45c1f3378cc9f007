"""The verifier: whether a file keeps the contract, seen from outside."""

from .report import Check, Report
from .verify import verify_contract

__all__ = ["Check", "Report", "verify_contract"]
