"""Checkpoints that are converted once, from the form their authors published to a folder of safetensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from brainviz.errors import DataProblem

# Constructor arguments of the steered U-Nets where they differ from the published DragNUWA's.
STEERED: dict[str, Mapping[str, Any]] = {"dragnuwa": {}, "motionpro": {"flow_channels": 3, "num_frames": 16}}

Converter = Callable[[Path, Path], str]  # checkpoint, folder -> a report for people


def converter(name: str) -> Converter | None:
    """What turns a checkpoint into the folder of the weights `name`; None where they are used as published."""
    if name in STEERED:
        return lambda checkpoint, folder: _steered(name, checkpoint, folder)
    return {"flowsam": _flowsam, "vifi-clip": _vifi}.get(name)


def is_converted(folder: Path) -> bool:
    """Whether a folder holds converted weights; such a folder appears whole or not at all."""
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def _steered(name: str, checkpoint: Path, folder: Path) -> str:
    from pipelines.reanimate.dragnuwa.checkpoint import convert_file

    return str(convert_file(checkpoint, folder, STEERED[name]))


def _flowsam(checkpoint: Path, folder: Path) -> str:
    """Into SAM's own folder in the hub's cache, which must be there."""
    from pipelines.reanimate.flowsam_checkpoint import convert_flowsam
    from pipelines.weights import find

    base = find("sam")
    if base is None:
        remedy = "Fetch it first: python -m pipelines weights sam"
        raise DataProblem("FlowSAM stands on SAM, whose weights are not here.", "sam", remedy)
    return str(convert_flowsam(checkpoint, base, folder))


def _vifi(checkpoint: Path, folder: Path) -> str:
    from pipelines.evaluate.vifi_checkpoint import convert_vifi

    return str(convert_vifi(checkpoint, folder))
