"""What a backend is asked for, and what it gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from pipelines.reanimate.motion_field import MotionField

Frames = npt.NDArray[np.uint8]
Option = int | float | str | bool


@dataclass(frozen=True, eq=False)
class ReanimationRequest:
    """One picture to be brought to life.

    Attributes
    ----------
    image : uint8 (h, w, 3)
        The first frame, RGB.
    motion : MotionField or None
        None leaves the motion to the backend.
    seed : int
        Backends without randomness ignore it.
    options : mapping
        A backend's own settings by name; unknown ones are refused by the backend.
    planes : uint8 (h, w), optional
        Depth order of the picture: 0 is the background, higher numbers stand nearer.

    Raises
    ------
    BrainvizError
        A picture of another shape or kind, a negative seed, planes of another size.
    """

    image: Frames
    motion: MotionField | None = None
    seed: int = 0
    options: Mapping[str, Option] = field(default_factory=dict)
    planes: npt.NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        image = np.array(self.image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise BrainvizError(f"A picture is uint8 (height, width, 3), not {image.dtype} {image.shape}.")
        if self.seed < 0:
            raise BrainvizError(f"A seed is 0 or more, not {self.seed}.")
        if self.planes is not None:
            planes = np.array(self.planes)
            if planes.shape != image.shape[:2] or planes.dtype != np.uint8:
                raise BrainvizError(f"Planes are uint8 {image.shape[:2]}, not {planes.dtype} {planes.shape}.")
            planes.setflags(write=False)
            object.__setattr__(self, "planes", planes)
        image.setflags(write=False)
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def facts(self) -> dict[str, Option]:
        """What of the request belongs to a clip's provenance: plain values."""
        return {
            "seed": self.seed,
            "image": hashlib.sha256(self.image.tobytes()).hexdigest()[:16],
            "motion": self.motion.digest() if self.motion is not None else "none",
            "planes": int(self.planes.max()) + 1 if self.planes is not None else 1,
            **{f"option.{name}": value for name, value in self.options.items()},
        }


@dataclass(frozen=True, eq=False)
class RenderedClip:
    """A rendered film.

    Attributes
    ----------
    frames : uint8 (n, h, w, 3)
        The first is frame 0.
    fps : float
    provenance : mapping
        Backend, its settings and the request's facts, as plain values.
    """

    frames: Frames
    fps: float
    provenance: Mapping[str, Option]

    def __post_init__(self) -> None:
        if self.frames.dtype != np.uint8 or self.frames.ndim != 4 or self.frames.shape[-1] != 3:
            raise BrainvizError(f"A clip is uint8 (n, h, w, 3), not {self.frames.dtype} {self.frames.shape}.")
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))
