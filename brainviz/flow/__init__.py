"""Optical-flow fields: units, resampling, codebook, colour wheel, end-point error."""

from brainviz.flow.camera import camera_fit, camera_flow, moving_objects, residual_flow
from brainviz.flow.codebook import Codebook, fit_codebook
from brainviz.flow.errors import angular_error, end_point_error, end_point_map, flow_correlation
from brainviz.flow.fields import GRID, frame_numbers, resample, resample_plane, resample_valid, step_seconds
from brainviz.flow.summary import DIRECTIONS, NO_DIRECTION, dominant_direction, mean_speed
from brainviz.flow.wheel import arrow_grid, flow_to_rgb, wheel_image

__all__ = [
    "DIRECTIONS",
    "GRID",
    "NO_DIRECTION",
    "Codebook",
    "angular_error",
    "arrow_grid",
    "camera_fit",
    "camera_flow",
    "dominant_direction",
    "end_point_error",
    "end_point_map",
    "fit_codebook",
    "flow_correlation",
    "flow_to_rgb",
    "frame_numbers",
    "mean_speed",
    "moving_objects",
    "resample",
    "resample_plane",
    "resample_valid",
    "residual_flow",
    "step_seconds",
    "wheel_image",
]
