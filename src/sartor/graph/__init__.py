"""Models as objects with use-def links, independent of the file format."""

from .copy_graph import copy_graph
from .dtype import DType
from .graph import Graph
from .model import Model, Signature
from .op import Op
from .tensor import Quantization, Tensor
from .tensor_names import MEAN, first_name, names_of, similar_names, tensors_by_name

__all__ = [
    "MEAN",
    "DType",
    "Graph",
    "Model",
    "Op",
    "Quantization",
    "Signature",
    "Tensor",
    "copy_graph",
    "first_name",
    "names_of",
    "similar_names",
    "tensors_by_name",
]
