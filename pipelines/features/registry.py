"""All encoders of clips by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from brainviz.errors import BrainvizError, NotReady, UnknownName
from pipelines.features.catalogue import PRETRAINED
from pipelines.features.controls import CONTROLS, ControlEncoder, control_spec
from pipelines.features.gabor_colour import GABOR_COLOUR, GaborColourEncoder
from pipelines.features.motion_energy import MOTION_ENERGY, MotionEnergyEncoder
from pipelines.features.network import Network, NetworkEncoder
from pipelines.features.spec import ClipEncoder, EncoderSpec

DEMO_ENCODERS = ("motion-energy", "gabor-colour", "motion-energy.frozen")


def _all_specs() -> dict[str, EncoderSpec]:
    listed: list[EncoderSpec] = []
    for base in (MOTION_ENERGY, GABOR_COLOUR, *PRETRAINED):
        listed.append(base)
        if base.moves:
            listed += [control_spec(base, control) for control in CONTROLS]
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
    NotReady
        If weights are missing; the message names the command that fetches them, and their size.
    DataProblem
        If weights cannot be used.
    """
    spec = encoder_spec(encoder_id)
    if spec.control:
        return ControlEncoder(make_encoder(spec.base, weights, device), spec.control)
    if spec is GABOR_COLOUR:
        return GaborColourEncoder()
    if spec is MOTION_ENERGY:
        return MotionEnergyEncoder()
    place = weights_of(spec, weights)
    network = _loader(spec)(place, device)
    return NetworkEncoder(spec, network, place, device)


def encoder_spec(encoder_id: str) -> EncoderSpec:
    """The facts of an encoder; `UnknownName` where there is none of that name."""
    if encoder_id not in ENCODERS:
        raise UnknownName(f"There is no encoder '{encoder_id}'.", "encoders", f"There are: {', '.join(ENCODERS)}.")
    return ENCODERS[encoder_id]


def weights_of(spec: EncoderSpec, weights: Path | None = None) -> Path:
    """Where an encoder's weights lie: the given folder or file, else what the caches hold; `NotReady` where nothing."""
    from pipelines.weights import find

    if weights is not None:
        place = weights.expanduser()
        if not place.exists():
            raise NotReady(
                f"There are no weights of {spec.title} here.", str(place), "Give the folder that holds them."
            )
        return place
    found = find(spec.weights_name)
    if found is None:
        raise NotReady(
            f"The weights of {spec.title} are not on this machine ({spec.size_gb:.2f} GB, {spec.licence}).",
            spec.hub_name,
            f"Fetch them with `python -m pipelines weights {spec.weights_name}`, or give a local folder.",
        )
    return found


def _loader(spec: EncoderSpec) -> Callable[[Path, str], Network]:
    """What opens an encoder's weights."""
    from pipelines.features import checkpoint_models, timm_models, transformers_models

    by_source = {
        "transformers": transformers_models.load_transformers,
        "timm": timm_models.load_timm,
        "open_clip": timm_models.load_open_clip,
    }
    by_name = {
        "vc-1": checkpoint_models.load_vc1,
        "r3m": checkpoint_models.load_robot_resnet,
        "vip": checkpoint_models.load_robot_resnet,
        "hiera-base-plus": checkpoint_models.load_hiera,
        "hiera-huge": checkpoint_models.load_hiera,
    }
    name = spec.weights_name
    loader = by_name.get(name) or by_source.get(spec.source)
    if loader is None:
        raise BrainvizError(f"Nothing opens the weights of {spec.title}.", spec.id)
    return loader
