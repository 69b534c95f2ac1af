"""Optical-flow fields: units, resampling, codebook, colour wheel, end-point error."""

from brainviz.flow.codebook import Codebook, fit_codebook
from brainviz.flow.errors import angular_error, end_point_error, end_point_map, flow_correlation
from brainviz.flow.fields import GRID, frame_numbers, resample, resample_plane, resample_valid, step_seconds

__all__ = [
    "GRID",
    "Codebook",
    "angular_error",
    "end_point_error",
    "end_point_map",
    "fit_codebook",
    "flow_correlation",
    "frame_numbers",
    "resample",
    "resample_plane",
    "resample_valid",
    "step_seconds",
]
