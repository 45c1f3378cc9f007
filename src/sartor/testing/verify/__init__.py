"""The contract verifier: check a personalizable file by running it."""

from .report import Check, Report
from .verify import verify_contract

__all__ = ["Check", "Report", "verify_contract"]
