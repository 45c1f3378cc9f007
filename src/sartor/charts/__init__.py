"""Small pictures of how learning went, with no plotting library: SVG for pages, PNG for files.

A chart is a list of shapes; `Chart.svg` and `Chart.image` each draw all of them.
"""

from .chart import Chart
from .confusion import confusion_chart
from .curve import loss_chart

__all__ = ["Chart", "confusion_chart", "loss_chart"]
