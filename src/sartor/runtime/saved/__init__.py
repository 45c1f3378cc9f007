"""Saved state: checkpoints, baked models, projects."""
