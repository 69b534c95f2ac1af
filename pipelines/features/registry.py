"""All encoders of clips by name."""

from __future__ import annotations

from pathlib import Path

from brainviz.errors import UnknownName
from pipelines.features.controls import ControlEncoder, control_spec
from pipelines.features.gabor_colour import GABOR_COLOUR, GaborColourEncoder
from pipelines.features.motion_energy import MOTION_ENERGY, MotionEnergyEncoder
from pipelines.features.spec import ClipEncoder, EncoderSpec

DEMO_ENCODERS = ("motion-energy", "gabor-colour", "motion-energy.frozen", "motion-energy.reversed")


def _all_specs() -> dict[str, EncoderSpec]:
    listed = [MOTION_ENERGY, GABOR_COLOUR]
    for base in tuple(listed):
        if base.moves:
            listed += [control_spec(base, "frozen"), control_spec(base, "reversed")]
    return {spec.id: spec for spec in listed}


ENCODERS: dict[str, EncoderSpec] = _all_specs()


def make_encoder(encoder_id: str, weights: Path | None = None, device: str = "cpu") -> ClipEncoder:
    """The encoder of a name, ready to encode.

    Parameters
    ----------
    encoder_id : str
        A key of `ENCODERS`.
    weights : Path, optional
        Folder or file of its weights; where it is not given, the local caches are searched. Nothing is downloaded.
    device : str
        Torch device. On CUDA, networks run in bfloat16 autocast.

    Raises
    ------
    UnknownName
        If no encoder has that name.
    BrainvizError
        If weights are missing (the message names the command that fetches them, and their size) or cannot be used.
    """
    spec = encoder_spec(encoder_id)
    if spec.control:
        return ControlEncoder(make_encoder(spec.base, weights, device), spec.control)
    return GaborColourEncoder() if spec is GABOR_COLOUR else MotionEnergyEncoder()


def encoder_spec(encoder_id: str) -> EncoderSpec:
    """The facts of an encoder; `UnknownName` where there is none of that name."""
    if encoder_id not in ENCODERS:
        raise UnknownName(f"There is no encoder '{encoder_id}'.", "encoders", f"There are: {', '.join(ENCODERS)}.")
    return ENCODERS[encoder_id]
