"""Charts of training and evaluation, without a plotting library: as SVG or PNG.

A chart is a list of shapes, which `Chart.svg` and `Chart.image` draw.
"""

from .chart import Chart
from .confusion import confusion_chart
from .curve import loss_chart

__all__ = ["Chart", "confusion_chart", "loss_chart"]
