"""Motion of a first frame, and the only place where one convention of motion turns into another.

Conventions:

- ours: flow between successive frames at the earlier frame's pixels, in pixels of its grid (`brainviz.flow.fields`);
- DragNUWA (Yin et al. 2023): displacement per step at the current position, in pixels of the generated film;
- MotionPro (Zhang et al., CVPR 2025): displacement from frame 0 at frame-0 pixels, and whether the pixel is seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from brainviz.flow.chaining import pixel_positions, sample_flow
from brainviz.flow.fields import resample, resample_plane

Array = npt.NDArray[np.float32]

# Where pixels part, no pixel of frame 0 lies at the wanted place: the fixed point misses it by more than this.
_MISSED_PX = 0.5
_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class MotionField:
    """Where each pixel of frame 0 is at later times. Immutable; its arrays cannot be written.

    Attributes
    ----------
    displacement : float32 (t, h, w, 2)
        From frame 0, at frame-0 pixels, right and down, in fractions of the picture's width and height.
    times_s : float64 (t,)
        Seconds after frame 0, rising; frame 0 itself, where nothing has moved, is not among them.
    visible : float32 (t, h, w)
        1 where the pixel lies inside the picture and is known, 0 where it does not.

    Raises
    ------
    BrainvizError
        Wrong shapes, values that are not finite, times that do not rise from above 0.
    """

    displacement: Array
    times_s: npt.NDArray[np.float64]
    visible: Array

    def __post_init__(self) -> None:
        displacement = np.array(self.displacement, dtype=np.float32)
        times = np.array(self.times_s, dtype=np.float64)
        visible = np.array(self.visible, dtype=np.float32)
        if displacement.ndim != 4 or displacement.shape[-1] != 2 or not displacement.size:
            raise BrainvizError(f"A motion field has the shape (t, h, w, 2); this one has {displacement.shape}.")
        if visible.shape != displacement.shape[:3]:
            raise BrainvizError(f"Visibility has the shape {displacement.shape[:3]}, not {visible.shape}.")
        if times.shape != displacement.shape[:1] or not (np.diff(times, prepend=0.0) > 0).all():
            raise BrainvizError(f"A motion field of {len(displacement)} times needs as many, rising from above 0 s.")
        if not np.isfinite(displacement).all() or not np.isfinite(visible).all() or not np.isfinite(times).all():
            raise BrainvizError("A motion field holds values that are not finite.", remedy="Leave invalid clips out.")
        for name, values in (("displacement", displacement), ("times_s", times), ("visible", np.clip(visible, 0, 1))):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the grid."""
        return self.displacement.shape[1], self.displacement.shape[2]

    @staticmethod
    def from_steps(
        steps: npt.ArrayLike, step_s: Sequence[float] | npt.NDArray[np.floating], mask: npt.ArrayLike | None = None
    ) -> MotionField:
        """From our flow: labels, or what a decoder predicts.

        Parameters
        ----------
        steps : float (t, h, w, 2)
            Flow between successive frames at the earlier frame's pixels, in pixels of this grid per step.
        step_s : (t,)
            Seconds of each step.
        mask : (h, w) or (t, h, w), optional
            Object-level motion. (h, w): the objects of frame 0, which keep their motion wherever they go. (t, h, w):
            the objects of each step's earlier frame, as masks of a film give them; there the flow counts at the place.
        """
        flow = np.asarray(steps, dtype=np.float32)
        if flow.ndim != 4 or flow.shape[-1] != 2 or len(flow) != len(step_s):
            raise BrainvizError(f"Steps have the shape (t, h, w, 2), one length in seconds each; got {flow.shape}.")
        kept = None if mask is None else np.asarray(mask, dtype=np.float32)
        if kept is not None and kept.ndim == 3:
            flow = flow * _same_grid(kept, flow.shape[:3])[..., None]
        h, w = flow.shape[1:3]
        start = pixel_positions(h, w)
        place, moved = start.copy(), []
        for step in flow:
            place = place + sample_flow(step, place)
            moved.append(place - start)
        displacement = np.asarray(np.stack(moved) / np.array([w, h]), dtype=np.float32)
        field = MotionField(displacement, np.cumsum(np.asarray(step_s, dtype=np.float64)), _inside(displacement))
        return field.masked(kept) if kept is not None and kept.ndim == 2 else field

    @staticmethod
    def still(height: int, width: int, times_s: Sequence[float]) -> MotionField:
        """Nothing moves."""
        shape = (len(times_s), height, width)
        return MotionField(np.zeros((*shape, 2), np.float32), np.asarray(times_s), np.ones(shape, np.float32))

    def masked(self, mask: npt.ArrayLike) -> MotionField:
        """Object-level motion: frame-0 pixels outside the mask stay where they are.

        mask : bool or float (h', w'), 1 on objects; resampled to this field's grid where it differs.
        """
        kept = np.asarray(mask, dtype=np.float32)
        if kept.ndim != 2:
            raise BrainvizError(f"A mask of frame 0 has the shape (h, w), not {kept.shape}.")
        if kept.shape != self.grid:
            kept = resample_plane(kept, *self.grid)
        moved = self.displacement * np.clip(kept, 0, 1)[None, ..., None]
        return MotionField(moved, self.times_s, _inside(moved))

    def at(self, times_s: Sequence[float] | npt.NDArray[np.floating]) -> MotionField:
        """The same motion at other times: steady between those known, and after them as fast as last.

        A time of 0 is refused, as in the field itself.
        """
        wanted = np.asarray(times_s, dtype=np.float64)
        known = np.concatenate([[0.0], self.times_s])
        late = np.clip(np.searchsorted(known, wanted), 1, len(self.times_s))
        share = ((wanted - known[late - 1]) / (known[late] - known[late - 1])).astype(np.float32)[:, None, None]
        before = np.concatenate([np.zeros_like(self.displacement[:1]), self.displacement])
        seen = np.concatenate([np.ones_like(self.visible[:1]), self.visible])
        moved = before[late - 1] + share[..., None] * (before[late] - before[late - 1])
        held = np.clip(share, 0, 1)
        visible = np.minimum(seen[late - 1] + held * (seen[late] - seen[late - 1]), _inside(moved))
        return MotionField(moved, wanted, visible)

    def resized(self, height: int, width: int) -> MotionField:
        """The same motion on another grid (fractions of the picture stay what they are)."""
        if (height, width) == self.grid:
            return self
        h, w = self.grid
        pixels = resample(
            self.displacement, height, width
        )  # rescales by width / w and height / h, which fractions skip
        moved = pixels * np.array([w / width, h / height], dtype=np.float32)
        return MotionField(moved, self.times_s, resample_plane(self.visible, height, width))

    def pixels(self, height: int, width: int) -> Array:
        """Displacement from frame 0 in pixels of a (height, width) picture: float32 (t, height, width, 2)."""
        scale = np.array([width, height], dtype=np.float32)
        return np.asarray(self.resized(height, width).displacement * scale, dtype=np.float32)

    def from_frame_zero(self, height: int, width: int) -> Array:
        """MotionPro's convention: float32 (t, height, width, 3), x and y displacement in pixels, and visibility."""
        seen = self.resized(height, width).visible[..., None]
        return np.concatenate([self.pixels(height, width), seen], axis=-1)

    def per_step(self, height: int, width: int) -> Array:
        """DragNUWA's convention, and on a label's own grid the inverse of `from_steps`.

        Returns
        -------
        float32 (t, height, width, 2)
            Displacement over each step, at the place where the pixel is when the step begins, in pixels of a
            (height, width) picture. Places that no pixel of frame 0 has come to take the motion of their surroundings.
        """
        h, w = self.grid
        total = self.displacement * np.array([w, h], dtype=np.float32)
        steps = np.diff(total, axis=0, prepend=np.zeros_like(total[:1]))
        here = np.stack([steps[0], *[_carried(total[i - 1], steps[i]) for i in range(1, len(steps))]])
        return resample(here, height, width)

    def mean_pixels(self, height: int, width: int) -> float:
        """Mean length of the visible displacement in pixels of a (height, width) picture."""
        length = np.linalg.norm(self.displacement * np.array([width, height], dtype=np.float32), axis=-1)
        return float((length * self.visible).sum() / max(float(self.visible.sum()), 1.0))

    def digest(self) -> str:
        """A short name of the content, for provenance: 16 hexadecimal digits."""
        parts = (np.array(self.displacement.shape), self.times_s, self.displacement, self.visible)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


def _inside(displacement: Array) -> Array:
    """1 where a pixel of frame 0 is still inside the picture."""
    h, w = displacement.shape[1:3]
    place = pixel_positions(h, w) + displacement * np.array([w, h], dtype=np.float32)
    limit = np.array([w - 0.5, h - 0.5], dtype=np.float32)
    return np.asarray(((place >= -0.5) & (place <= limit)).all(axis=-1), dtype=np.float32)


def _same_grid(mask: Array, shape: tuple[int, ...]) -> Array:
    if len(mask) != shape[0]:
        raise BrainvizError(f"A mask of each step has the shape {shape}, not {mask.shape}.")
    return mask if mask.shape == shape else resample_plane(mask, shape[1], shape[2])


def _carried(moved: Array, values: Array) -> Array:
    """Values of frame-0 pixels, read where these pixels have come to: (h, w, 2), (h, w, 2) -> (h, w, 2).

    The pixel that has come to q solves p + moved(p) = q. A fixed point finds it where motion is smooth; where pixels
    part or cross, the fixed point misses and the mean of what was splatted there counts.
    """
    from pipelines.reanimate.splatting import fill_holes, splat

    h, w = moved.shape[:2]
    there = pixel_positions(h, w)
    summed, weight = splat(np.concatenate([moved, values], axis=-1), moved)
    spread = fill_holes(summed, weight)
    origin = there - spread[..., :2]
    for _ in range(_ROUNDS):
        origin = there - sample_flow(moved, origin)
    miss = np.linalg.norm(origin + sample_flow(moved, origin) - there, axis=-1, keepdims=True)
    return np.where(miss < _MISSED_PX, sample_flow(values, origin), spread[..., 2:])
