"""The edits that turn a base into a personalizable model, and that into a plain one."""

from .attach_classes import attach_set_class
from .attach_head import attach_head
from .attach_loss import attach_evaluate
from .attach_optimizer import attach_train
from .attach_state import attach_state
from .check_parts import check_parts
from .cut import cut
from .describe_frozen import describe_frozen
from .fingerprint import fingerprints
from .fold_constants import fold_constants
from .fold_variables import fold_variables, initial_values
from .merge_dense import merge_dense
from .part_reads import part_reads
from .plan import Plan
from .ports import open_features, open_inputs
from .rebatch import rebatch
from .simplify import simplify

__all__ = [
    "Plan",
    "attach_evaluate",
    "attach_head",
    "attach_set_class",
    "attach_state",
    "attach_train",
    "check_parts",
    "cut",
    "describe_frozen",
    "fingerprints",
    "fold_constants",
    "fold_variables",
    "initial_values",
    "merge_dense",
    "open_features",
    "open_inputs",
    "part_reads",
    "rebatch",
    "simplify",
]
