"""What drives a reanimation: a system's flow, whole or of objects only, as a motion field.

Which pixels are objects is said by a mask:

- `none`: all of the flow, the camera's motion included.
- `film-objects`: what moved on its own in the true film (`Workspace.object_mask`). It is made from the film after its
  first frame, so true motion enters through it.
- `predicted-objects`: what moves on its own in the system's own flow. Nothing of the stimulus after its first frame
  enters. The rule is the one that finds the film's objects, unchanged: the residual of the robust camera fit (Black &
  Anandan, CVIU 1996), above .5 grid pixels per step and above .3 of the camera's speed there, in patches of at least 8
  pixels. With the same rule on both sides, the true flow gets the film's own mask (up to pixels that the labels could
  not trust), and no number was searched for on any system's predictions. An expected flow is drawn towards the mean, so
  its residual is small and the mask misses objects rather than inventing them. The edge is hard: a soft one, rising
  from a quarter to three quarters of the field's largest residual, was no nearer to the true object flow.
- `flowsam`: FlowSAM's objects in the film, as published (Yeung et al., CVPR 2025, section 1); it sees the whole film.

A clip whose predicted motion is smaller than the decoder's own error on held-out training clips is shown still: the
decoder cannot tell such motion from stillness, and a wrongly moved picture is worse than a still one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, UnknownName
from brainviz.flow.camera import camera_fit, moving_objects
from brainviz.flow.fields import resample_plane
from pipelines.reanimate.motion_field import MotionField

Mask = npt.NDArray[np.bool_]

MASKS = ("none", "film-objects", "predicted-objects", "flowsam")
_FROM_FILM = ("film-objects", "flowsam")


def uses_film(mask: str) -> bool:
    """Whether the mask is made from the film after its first frame; what it drives must be marked so."""
    return _known(mask) in _FROM_FILM


def drive(
    flow: npt.ArrayLike,
    step_s: Sequence[float] | npt.NDArray[np.floating],
    mask: str = MASKS[0],
    film_objects: npt.ArrayLike | None = None,
    least: float = 0.0,
) -> MotionField:
    """The motion field of a system's flow under a mask.

    Parameters
    ----------
    flow : float32 (3, 32, 32, 2)
        Right and down, pixels of the grid per step.
    step_s : (3,)
        Seconds of each step.
    mask : str
        One of `MASKS`.
    film_objects : bool (3, 32, 32), optional
        Objects at each step's earlier frame: the film's moving objects, or FlowSAM's. Needed by the masks that
        `uses_film`, left alone by the others.
    least : float
        The system's end-point error on held-out training clips, grid pixels per step: a flow of a smaller mean length
        is taken as stillness (`is_still`). 0 where it is not known.

    Raises
    ------
    UnknownName
        A mask that does not exist.
    BrainvizError
        A mask of the film without the film's objects, wrong shapes, values that are not finite.
    """
    field = np.zeros_like(flow, dtype=np.float32) if is_still(flow, least) else flow
    return MotionField.from_steps(field, step_s, objects(field, mask, film_objects))


def is_still(flow: npt.ArrayLike, least: float) -> bool:
    """Whether the mean length of the flow's vectors is below `least`, both in grid pixels per step."""
    return bool(np.linalg.norm(np.asarray(flow, dtype=np.float32), axis=-1).mean() < least)


def objects(flow: npt.ArrayLike, mask: str, film_objects: npt.ArrayLike | None = None) -> Mask | None:
    """The objects that a mask keeps: bool (3, 32, 32), or None for the whole flow. Parameters as `drive`."""
    field = np.asarray(flow, dtype=np.float32)
    if _known(mask) == "none":
        return None
    if mask == "predicted-objects":
        return moving_objects(field, camera_fit(field)[1])
    if film_objects is None:
        raise BrainvizError(f"The mask {mask!r} needs the film's objects.", "mask", "Choose another mask.")
    kept = np.asarray(film_objects, dtype=bool)
    if kept.shape != field.shape[:-1]:
        raise BrainvizError(f"Objects have the shape {field.shape[:-1]}, not {kept.shape}.", "mask")
    return kept


def depth_planes(kept: Mask | None, height: int, width: int) -> npt.NDArray[np.uint8] | None:
    """Depth order for the warp: objects of the first frame (1) stand in front of the rest (0).

    An offer, not the default: on the simulated film one plane and two are equally near to the truth, and a mask of
    32 x 32 pixels has no sharp edge; two planes leave no stretched rim around an object that goes far.

    Parameters
    ----------
    kept : bool (3, 32, 32) or None
        As `objects` gives it; only the first frame's objects count.
    height, width : int
        Of the picture.

    Returns
    -------
    uint8 (height, width), or None where there is nothing to order: no mask, no object, or nothing else.
    """
    if kept is None or kept[0].all() or not kept[0].any():
        return None
    return (resample_plane(kept[0], height, width) > 0.5).astype(np.uint8)


def _known(mask: str) -> str:
    if mask not in MASKS:
        raise UnknownName(f"There is no mask called {mask!r}.", "mask", f"Masks: {', '.join(MASKS)}.")
    return mask
