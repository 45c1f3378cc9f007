"""Passes: each edits the graph of a model once."""

from .adapt_features import adapt_features
from .adapt_inputs import adapt_inputs
from .attach_evaluate import attach_evaluate
from .attach_head import attach_head
from .attach_layers import attach_layers
from .attach_set_class import attach_set_class
from .attach_state import attach_state
from .attach_train import add_optimizer_state, attach_train
from .build_manifest import build_manifest
from .check_parts import check_parts
from .choose_normalization import choose_normalization
from .compute_fingerprints import compute_fingerprints
from .cut import cut
from .describe_frozen import describe_frozen
from .describe_model import describe_model
from .fold_constants import fold_constants
from .fold_variables import fold_variables, initial_values
from .freeze_infer import freeze_infer
from .merge_dense import merge_dense
from .plain_classifier import plain_classifier
from .plan import Plan
from .prepare_base import PreparedBase, prepare_base
from .rebatch import rebatch
from .scale_pixels_inside import scale_pixels_inside
from .simplify import simplify
from .split_layers import find_layers, propose_layers
from .split_variable_reads import split_variable_reads
from .tune_layers import tune_layers
from .use_fast_forms import use_fast_forms

__all__ = [
    "Plan",
    "PreparedBase",
    "adapt_features",
    "adapt_inputs",
    "add_optimizer_state",
    "attach_evaluate",
    "attach_head",
    "attach_layers",
    "attach_set_class",
    "attach_state",
    "attach_train",
    "build_manifest",
    "check_parts",
    "choose_normalization",
    "compute_fingerprints",
    "cut",
    "describe_frozen",
    "describe_model",
    "find_layers",
    "fold_constants",
    "fold_variables",
    "freeze_infer",
    "initial_values",
    "merge_dense",
    "plain_classifier",
    "prepare_base",
    "propose_layers",
    "rebatch",
    "scale_pixels_inside",
    "simplify",
    "split_variable_reads",
    "tune_layers",
    "use_fast_forms",
]
