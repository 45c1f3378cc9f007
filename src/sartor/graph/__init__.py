"""Models as objects with use-def links. Nothing here knows how a file looks."""

from .dtype import DType
from .graph import Graph
from .model import Model, Signature
from .op import Op
from .tensor import Quantization, Tensor

__all__ = ["DType", "Graph", "Model", "Op", "Quantization", "Signature", "Tensor"]
