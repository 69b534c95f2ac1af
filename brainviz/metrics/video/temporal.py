"""Temporal consistency: does a film's content follow its own motion, without flicker?

No score here looks at the true film, and a frozen first frame is perfect by each: read them beside the error against
the truth, never alone. On embeddings of frames the usual measure is
`brainviz.metrics.video.embeddings.clip_pcc_adjacent` (frame consistency of Esser et al., ICCV 2023).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.metrics.video.pixels import Frames


def warping_error(frames: Frames, flow: npt.NDArray[np.floating]) -> float:
    """Mean difference between each frame and its successor carried back by the film's own flow.

    After Lai et al. (ECCV 2018, section 4.1), with absolute differences and over all pixels whose successor lies inside
    the picture.

    Parameters
    ----------
    frames : uint8 (t, h, w, 3)
    flow : float (t - 1, h, w, 2)
        Measured between neighbouring frames, at the earlier frame's pixels, right and down, in pixels.

    Returns
    -------
    float
        0 (perfect) to 1; NaN where no pixel stays inside.
    """
    import cv2

    t, h, w = np.shape(frames)[:3]
    if np.shape(flow) != (t - 1, h, w, 2) or t < 2:
        raise DataProblem(f"Flow of shape {np.shape(flow)} does not go with frames of {np.shape(frames)}.", "flow")
    y, x = np.mgrid[:h, :w].astype(np.float32)
    total, count = 0.0, 0
    for earlier, later, step in zip(frames[:-1], frames[1:], flow, strict=True):
        across, down = x + step[..., 0].astype(np.float32), y + step[..., 1].astype(np.float32)
        inside = cv2.inRange(np.dstack([across, down]), (0.0, 0.0), (w - 1.0, h - 1.0))
        carried = cv2.remap(np.ascontiguousarray(later), across, down, cv2.INTER_LINEAR)
        difference = cv2.absdiff(np.ascontiguousarray(earlier), carried)
        here = cv2.countNonZero(inside)
        total += sum(cv2.mean(difference, inside)[:3]) * here / (3 * 255)
        count += here
    return total / count if count else float("nan")
