"""Errors, scores and statistics on arrays."""
