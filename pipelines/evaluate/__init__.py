"""Metrics of every system on the same clips."""
