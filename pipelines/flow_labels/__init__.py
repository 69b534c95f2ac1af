"""True flow of the clips: labellers, chaining, validity, moving objects, camera."""

from pipelines.flow_labels.accuracy import compare_with_exact
from pipelines.flow_labels.clips import ClipLabels, label_clip, label_film, label_frames, measured_frames
from pipelines.flow_labels.labellers import Labeller, find_raft_weights, make_labeller, resolve_labeller

__all__ = [
    "ClipLabels",
    "Labeller",
    "compare_with_exact",
    "find_raft_weights",
    "label_clip",
    "label_film",
    "label_frames",
    "make_labeller",
    "measured_frames",
    "resolve_labeller",
]
