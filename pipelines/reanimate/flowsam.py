"""Objects of a film by FlowI-SAM (Xie et al., "Moving Object Segmentation: All You Need Is SAM (and Flow)", ACCV 2024).

The network sees motion only: flow over several gaps as colours (RAFT's wheel, each field scaled by its own fastest
vector), the encodings averaged over the gaps. Every point of a grid asks for one object; masks that repeat another or
lie along the picture's border are dropped and the best few stay, as in section 4 of the paper and the authors' program
(first of the four mask channels, 10 x 10 points, gaps 1, -1, 2, -2, five objects). Whether a mask counts as an object
at all is our own choice: its predicted overlap must be at least a half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, NotReady
from brainviz.flow.fields import GRID, resample_plane
from brainviz.flow.wheel import flow_to_rgb
from pipelines.flow_labels.labellers import Labeller

Array = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

# Mean and deviation of the pixels SAM was trained on (Kirillov et al. 2023), in 0..255.
_MEAN = np.array([123.675, 116.28, 103.53], dtype=np.float32)
_DEVIATION = np.array([58.395, 57.12, 57.375], dtype=np.float32)


@dataclass(frozen=True)
class FlowSamSettings:
    """How objects are asked for.

    Attributes
    ----------
    points : int
        Prompts per side of the grid.
    gaps : tuple of int
        Frames between which motion is measured; where one leaves the clip, its opposite is taken.
    most : int
        Objects at most.
    least_overlap : float
        Predicted overlap from which a mask counts as an object.
    same : float
        Overlap of two masks' boxes above which they are one object.
    background : float
        Mean share of the picture's four sides above which a mask is background.
    at_once : int
        Prompts in one pass.
    """

    points: int = 10
    gaps: tuple[int, ...] = (1, -1, 2, -2)
    most: int = 5
    least_overlap: float = 0.5
    same: float = 0.9
    background: float = 0.5
    at_once: int = 25

    def __post_init__(self) -> None:
        if min(self.points, self.most, self.at_once) < 1 or not self.gaps or 0 in self.gaps:
            raise BrainvizError("FlowSAM needs points, objects, and gaps other than 0.", "FlowSAM settings")


class FlowSam:
    """A loaded FlowI-SAM.

    Parameters
    ----------
    folder : path
        As `python -m pipelines weights flowsam` makes it.
    device : str
        On "cuda" it runs in bfloat16.

    Raises
    ------
    NotReady
        If the weights are not there.
    DataProblem
        If they cannot be read.
    """

    def __init__(self, folder: str | Path, device: str = "cpu", settings: FlowSamSettings | None = None) -> None:
        from pipelines.conversions import is_converted
        from pipelines.reanimate.flowsam_checkpoint import load_sam

        if not is_converted(Path(folder)):
            remedy = "Get them with `python -m pipelines weights flowsam`."
            raise NotReady("FlowSAM's weights are not there.", str(folder), remedy)
        self.settings, self.device = settings or FlowSamSettings(), device
        self._network = load_sam(folder).to(device)

    def mask(self, flow: Array) -> Mask:
        """Objects of one frame: float32 (g, h, w, 2) flow over g gaps -> bool (h, w)."""
        masks, overlap = self.candidates(flow)
        kept = chosen(masks, overlap, self.settings)
        return np.asarray(masks[kept].any(axis=0))

    def candidates(self, flow: Array) -> tuple[Mask, Array]:
        """One mask per point, and how well the network expects it to fit.

        Parameters
        ----------
        flow : float32 (g, h, w, 2)

        Returns
        -------
        masks : bool (n, h, w)
        overlap : float32 (n,)
        """
        import torch
        import torch.nn.functional as F

        side, (h, w) = self._network.config.vision_config.image_size, flow.shape[1:3]
        scale = side / max(h, w)
        pictures = torch.from_numpy(flow_pictures(flow, side)).to(self.device)
        grid = (np.arange(self.settings.points, dtype=np.float32) + 0.5) / self.settings.points
        x, y = np.meshgrid(grid * w * scale, grid * h * scale)
        points = torch.from_numpy(np.stack([x.ravel(), y.ravel()], axis=-1)).to(self.device)
        masks, overlap = [], []
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=self.device.startswith("cuda")):
            encoded = self._network.get_image_embeddings(pictures).mean(dim=0, keepdim=True)
            for some in points.split(self.settings.at_once):
                # The single output is the first of the four channels, the one that FlowSAM trains and reads.
                out: Any = self._network(
                    image_embeddings=encoded, input_points=some[None, :, None], multimask_output=False
                )
                wide = F.interpolate(out.pred_masks[0].float(), (side, side), mode="bilinear", align_corners=False)
                wide = wide[..., : round(h * scale), : round(w * scale)]
                masks.append(F.interpolate(wide, (h, w), mode="bilinear", align_corners=False)[:, 0] > 0)
                overlap.append(out.iou_scores[0, :, 0].float())
        return torch.cat(masks).cpu().numpy(), torch.cat(overlap).cpu().numpy()


def flow_pictures(flow: Array, side: int) -> Array:
    """Flow as SAM takes it: (g, h, w, 2) -> float32 (g, 3, side, side), coloured, scaled to fit, padded."""
    import cv2

    h, w = flow.shape[1:3]
    size = (round(w * side / max(h, w)), round(h * side / max(h, w)))
    made = np.zeros((len(flow), side, side, 3), dtype=np.float32)
    for picture, field in zip(made, flow, strict=True):
        fastest = float(np.linalg.norm(field, axis=-1).max())
        colours = flow_to_rgb(field, fastest + 1e-5)
        scaled = cv2.resize(colours, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        picture[: size[1], : size[0]] = (scaled - _MEAN) / _DEVIATION
    return np.ascontiguousarray(made.transpose(0, 3, 1, 2))


def chosen(masks: Mask, overlap: Array, settings: FlowSamSettings) -> npt.NDArray[np.int64]:
    """Which masks are objects, best first: bool (n, h, w), float32 (n,) -> int64 (k,)."""
    sides = np.stack([masks[:, 0].mean(-1), masks[:, -1].mean(-1), masks[:, :, 0].mean(-1), masks[:, :, -1].mean(-1)])
    fine = masks.any(axis=(1, 2)) & (sides.mean(axis=0) <= settings.background) & (overlap >= settings.least_overlap)
    boxes = np.array([_box(mask) for mask in masks], dtype=np.float64).reshape(-1, 4)
    kept: list[int] = []
    # Repetitions are judged among all masks, background too, as the authors do.
    for k in np.argsort(-overlap, kind="stable"):
        if masks[k].any() and not any(_overlap(boxes[k], boxes[other]) > settings.same for other in kept):
            kept.append(int(k))
    return np.array([k for k in kept if fine[k]][: settings.most], dtype=np.int64)


def _box(mask: Mask) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a mask; zeros where it is empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return (columns[0], rows[0], columns[-1], rows[-1]) if len(rows) else (0, 0, 0, 0)


def _overlap(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Intersection of two boxes over their union, 0 for boxes without area."""
    inner = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    both = float(np.prod(np.maximum(inner, 0)))
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - both
    return both / union if union > 0 else 0.0


def object_masks(frames: Frames, at: Sequence[int], labeller: Labeller, network: FlowSam) -> Mask:
    """Objects of a clip at given frames, for the mask `flowsam` of `pipelines.reanimate.drive`.

    Parameters
    ----------
    frames : uint8 (n, h, w, 3)
        All frames of the clip, square; it uses the film after its first frame.
    at : ints
        Frames whose objects are wanted: the earlier frame of each step (0, 20, 40 at 30 per second).
    labeller : Labeller
        What measures motion.
    network : FlowSam

    Returns
    -------
    bool (len(at), 32, 32)
        Grid pixels that are mostly object.

    Raises
    ------
    BrainvizError
        A frame that the clip does not have, or a clip too short for every gap.
    """
    import cv2

    if not len(at) or min(at) < 0 or max(at) >= len(frames):
        raise BrainvizError(f"A clip of {len(frames)} frames has no frame {max(at, default=0)}.", "FlowSAM")
    side = (labeller.size, labeller.size)
    made = []
    for first in at:
        others = [first + gap if 0 <= first + gap < len(frames) else first - gap for gap in network.settings.gaps]
        if any(not 0 <= other < len(frames) for other in others):
            raise BrainvizError(f"A clip of {len(frames)} frames is too short for FlowSAM's gaps.", "FlowSAM")
        small = [cv2.resize(frames[k], side, interpolation=cv2.INTER_AREA) for k in (first, *others)]
        flow = labeller.measure(np.stack([small[0]] * len(others)), np.stack(small[1:]))
        made.append(network.mask(flow))
    return np.stack([resample_plane(mask, GRID, GRID) > 0.5 for mask in made])
