"""Models as objects with use-def links, independent of the file format."""

from .dtype import DType
from .graph import Graph
from .model import Model, Signature
from .op import Op
from .tensor import Quantization, Tensor

__all__ = ["DType", "Graph", "Model", "Op", "Quantization", "Signature", "Tensor"]
