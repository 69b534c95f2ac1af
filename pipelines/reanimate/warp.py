"""The backend that needs no weights: the picture itself, moved.

Each plane of the picture is carried by its own smooth motion. Where its pixels go is splatted forward, softly, those
that move apart from the whole in front (softmax splatting, Niklaus & Liu, CVPR 2020); what is splatted is where each
pixel came from, so that the picture is read once and stays sharp. Places to which nothing comes continue the motion
around them, and past the picture's border its mirror image goes on. What a plane uncovers of the one behind it is
filled by push-pull.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from brainviz.flow.chaining import pixel_positions
from brainviz.flow.fields import resample_plane
from pipelines.reanimate.backend import Progress, settings_from
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.request import Frames, ReanimationRequest, RenderedClip
from pipelines.reanimate.splatting import fill_holes, push_pull, splat

Array = npt.NDArray[np.float32]

# Logits between the stillest and the most deviant pixel, and the weight from which a pixel counts as reached: e^-6 is
# .0025, so that a pixel of the stillest part still counts when it covers a twentieth of its place.
_DEPTH = 6.0
_REACHED = 1e-4
_RIM = 7  # width of the brush that takes a nearer plane's mixed edge out of the planes behind it


@dataclass(frozen=True)
class WarpSettings:
    """How the film is made.

    Attributes
    ----------
    fps : float
    n_frames : int
        The first frame included; 30 at 15 per second show a clip of 2 s.
    grid : int
        Longer side of the grid on which motion is splatted, in pixels at most.
    feather : float
        Softness of the planes' edges in pixels.
    """

    fps: float = 15.0
    n_frames: int = 30
    grid: int = 112
    feather: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 240 or not 1 <= self.n_frames <= 2000:
            raise BrainvizError("A film has 1 to 2000 frames, at most 240 of them per second.", "options")
        if not 8 <= self.grid <= 4096 or not 0 <= self.feather <= 50:
            raise BrainvizError("The grid has 8 to 4096 pixels, the feather 0 to 50.", "options")


@dataclass(frozen=True)
class _Plane:
    """One plane: its colours carried on beyond its edge, its opacity, its motion."""

    colours: Frames
    opacity: Array | None  # None: the furthest plane, everywhere
    motion: Array  # (t, grid height, grid width, 2), pixels of that grid
    reach: tuple[int, int, int, int] = (0, 0, 0, 0)  # box of its opacity; unused for the furthest plane


class WarpBackend:
    """Forward splatting of the first frame; see the module's description."""

    id = "warp"
    title = "Warped first frame"
    licence = "BSD-3-Clause"
    weights: tuple[str, ...] = ()
    size_gb = 0.0
    frames = 0
    memory_gb = 0.2
    deterministic = True

    def missing(self) -> str:
        return ""

    def render(self, request: ReanimationRequest, progress: Progress) -> RenderedClip:
        settings = settings_from(WarpSettings, request.options, self.id)
        if request.motion is None:
            remedy = "Give it a motion field; MotionField.still shows the frozen frame."
            raise BrainvizError("The warp has no motion of its own.", "motion", remedy)
        times = np.arange(1, settings.n_frames) / settings.fps
        frames = warp_frames(request.image, request.motion, times, request.planes, settings, progress)
        return RenderedClip(frames, settings.fps, {"backend": self.id, "fps": settings.fps, **request.facts()})


def warp_frames(
    image: Frames,
    motion: MotionField,
    times_s: Sequence[float] | npt.NDArray[np.floating],
    planes: npt.NDArray[np.uint8] | None = None,
    settings: WarpSettings | None = None,
    progress: Progress | None = None,
) -> Frames:
    """The picture at given times.

    Parameters
    ----------
    image : uint8 (h, w, 3)
    motion : MotionField
    times_s : (n,)
        Rising, above 0.
    planes : uint8 (h, w), optional
        Depth order: 0 the background, higher numbers nearer.

    Returns
    -------
    uint8 (n + 1, h, w, 3)
        The picture itself first.
    """
    set_up = settings or WarpSettings()
    frames = np.empty((len(times_s) + 1, *image.shape), dtype=np.uint8)
    frames[0] = image
    if not len(times_s):
        return frames
    layers = _planes(image, motion, times_s, planes, set_up)
    for k in range(len(times_s)):
        frames[k + 1] = _frame(layers, k)
        if progress is not None:
            progress((k + 1) / len(times_s), f"frame {k + 2} of {len(frames)}")
    return frames


def _planes(
    image: Frames,
    motion: MotionField,
    times_s: Sequence[float] | npt.NDArray[np.floating],
    planes: npt.NDArray[np.uint8] | None,
    settings: WarpSettings,
) -> list[_Plane]:
    """The picture taken apart, furthest first."""
    h, w = image.shape[:2]
    # Twice the motion's own grid resolves it; finer costs time only.
    shrink = min(1.0, settings.grid / max(h, w), 2 * max(motion.grid) / max(h, w))
    grid = (max(2, round(h * shrink)), max(2, round(w * shrink)))
    present = [] if planes is None else [int(k) for k in np.unique(planes)]
    if len(present) < 2 or planes is None:
        return [_Plane(image, None, motion.at(times_s).pixels(*grid))]
    layers = []
    for k in present:
        opacity = None if k == present[0] else _feathered(planes == k, settings.feather)
        own = _continued_motion(motion, planes == k).at(times_s)
        reach = (0, 0, 0, 0) if opacity is None else _reach(opacity)
        layers.append(_Plane(_continued_colours(image, planes, k), opacity, own.pixels(*grid), reach))
    return layers


def _feathered(mask: npt.NDArray[np.bool_], feather: float) -> Array:
    import cv2

    solid = mask.astype(np.float32)
    return np.asarray(cv2.GaussianBlur(solid, (0, 0), feather) if feather > 0 else solid, dtype=np.float32)


def _continued_colours(image: Frames, planes: npt.NDArray[np.uint8], k: int) -> Frames:
    """The k-th plane's colours everywhere; filled in beyond its edge, and where a nearer plane's edge mixes with it."""
    import cv2

    nearer = cv2.dilate((planes > k).astype(np.uint8), np.ones((_RIM, _RIM), np.uint8)) > 0
    own = (planes == k) & ~nearer
    known = own if own.any() else planes == k
    filled = push_pull(image.astype(np.float32), known.astype(np.float32))
    return np.asarray(np.where(known[..., None], image, np.round(np.clip(filled, 0, 255))), dtype=np.uint8)


def _continued_motion(motion: MotionField, mask: npt.NDArray[np.bool_]) -> MotionField:
    """The plane's own motion everywhere, from grid pixels that are mostly the plane's."""
    share = resample_plane(mask, *motion.grid)
    known = np.where(share > 0.5, share, 0) if (share > 0.5).any() else share / max(float(share.max()), 1e-6)
    moved = [push_pull(d, known.astype(np.float32)) for d in motion.displacement]
    return MotionField(np.stack(moved), motion.times_s, motion.visible)


def _frame(layers: list[_Plane], k: int) -> Frames:
    """The picture at the k-th time, from the furthest plane to the nearest."""
    import cv2

    made = np.empty_like(layers[0].colours)
    for plane in layers:
        h, w = plane.colours.shape[:2]
        places = _way_back(plane.motion[k], h, w)
        places += pixel_positions(h, w)
        if plane.opacity is None:
            x, y = cv2.split(places)
            cv2.remap(plane.colours, x, y, cv2.INTER_LINEAR, dst=made, borderMode=cv2.BORDER_REFLECT_101)
            continue
        box = _box_of(places, plane.reach)
        if box is None:
            continue
        x, y = cv2.split(np.ascontiguousarray(places[box]))
        seen = cv2.remap(plane.colours, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        cover = cv2.remap(plane.opacity, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        made[box] = cv2.blendLinear(seen, np.ascontiguousarray(made[box]), cover, 1 - cover)
    return made


def _box_of(places: Array, reach: tuple[int, int, int, int]) -> tuple[slice, slice] | None:
    """The box of a new frame whose pixels come from within `reach`; None where none does."""
    import cv2

    left, top, right, bottom = reach
    x, y, w, h = cv2.boundingRect(cv2.inRange(places, (left, top), (right, bottom)))
    return (slice(y, y + h), slice(x, x + w)) if w and h else None


def _reach(opacity: Array) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, beyond which a plane's interpolated opacity is 0."""
    rows, columns = (np.flatnonzero(opacity.any(axis=axis)) for axis in (1, 0))
    return int(columns[0]) - 1, int(rows[0]) - 1, int(columns[-1]) + 1, int(rows[-1]) + 1


def _way_back(moved: Array, height: int, width: int) -> Array:
    """From each pixel of the new frame to where it came from, in pixels: (gh, gw, 2) -> (height, width, 2)."""
    import cv2

    x, y = (np.ascontiguousarray(moved[..., c]) for c in (0, 1))
    apart = np.hypot(x - np.median(x), y - np.median(y))
    importance = _DEPTH * apart / max(float(apart.max()), 1e-3)
    summed, weight = splat(moved, moved, importance.astype(np.float32))
    # A plane that has left the picture as a whole is continued by its own motion: to where it is not seen.
    back = fill_holes(summed, weight, seen=_REACHED) if weight.max() >= _REACHED else moved.copy()
    gh, gw = moved.shape[:2]
    back *= np.array([-width / gw, -height / gh], dtype=np.float32)
    return np.asarray(cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
