"""Results: predictions, training history, evaluation, HTML for notebooks."""
