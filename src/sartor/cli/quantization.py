"""The table of the savings and the costs of quantization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .report import percent, print_table

if TYPE_CHECKING:
    from ..quantization import QuantizationReport

__all__ = ["print_quantization"]


def print_quantization(report: QuantizationReport) -> None:
    """Print one row per measurement: the float base beside the quantized one."""
    rows = [("bytes", f"{report.bytes_before:,}", f"{report.bytes_after:,}")]
    if report.cosine is not None and report.relative_error is not None:
        rows.append(("features, cosine", "1.0000", f"{report.cosine:.4f}"))
        rows.append(("features, relative error", percent(0.0), percent(report.relative_error)))
    few = report.few_shot
    if few is not None:
        before, after = (percent(sum(each) / len(each)) for each in (few.before, few.after))
        rows.append((f"accuracy, {few.shots} per class", before, after))
    print_table(("base", "float", report.mode), rows, title=_title(report))


def _title(report: QuantizationReport) -> str:
    if not report.samples:
        return "quantized; --representative FOLDER measures its loss"
    few = report.few_shot
    draws = "" if few is None else f"; {len(few.before)} draws, each tested on {few.tested} others"
    return f"quantized, measured on {report.samples} samples{draws}"
