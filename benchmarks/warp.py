"""The warp against what it is built around, a plain backward warp by OpenCV and by PyTorch.

    python -m benchmarks.warp [--rounds 5]

Work: one picture of 224 pixels moved over 30 frames by a smooth 32 x 32 flow of three steps (the demo's clip), and one
of 256 pixels over 60 frames. One thread; the best of five films in each of `rounds` fresh processes.

- `ours`, `ours-planes`: from picture and motion field to frames, in one plane and in two.
- `opencv`: `cv2.remap` of the picture along the negative motion, the motion enlarged by `cv2.resize`. No occlusion, no
  forward motion: a pixel takes the motion of the place where it lands. The least that any warp has to do.
- `torch`: the same with `grid_sample` of the whole film at once.

`ratio` is ours over the contender's seconds; `error` the mean absolute difference, in grey levels, from a picture moved
by the same motion with the exact inverse (found by iteration in double precision), inside the frame.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._measure import compare, report_run

Frames = npt.NDArray[np.uint8]
SIZES = {"demo": (224, 30, 15.0), "large": (256, 60, 30.0)}
NAMES = ("ours", "ours-planes", "opencv", "torch")


def case(size: int, n: int, fps: float) -> tuple[Frames, Any, npt.NDArray[np.float64]]:
    """A picture with detail at all scales, a smooth motion of a few grid pixels, the frames' times."""
    import cv2

    from pipelines.reanimate.motion_field import MotionField

    draw = np.random.default_rng(0)
    layers = [cv2.resize(draw.random((k, k, 3)), (size, size), interpolation=cv2.INTER_CUBIC) for k in (4, 16, 64)]
    picture = np.clip(255 * np.mean(layers, axis=0), 0, 255).astype(np.uint8)
    steps = np.stack(
        [cv2.GaussianBlur(draw.normal(0, 12, (32, 32, 2)).astype(np.float32), (0, 0), 6) for _ in range(3)]
    )
    pan = np.array([0.8, 0.4], dtype=np.float32)
    field = MotionField.from_steps(steps + pan, np.array([20, 20, 19]) / 30)
    return picture, field, np.arange(1, n) / fps


def ours(picture: Frames, field: Any, times: Any) -> Frames:
    from pipelines.reanimate.warp import warp_frames

    return warp_frames(picture, field, times)


def ours_planes(picture: Frames, field: Any, times: Any) -> Frames:
    from pipelines.reanimate.warp import warp_frames

    planes = np.zeros(picture.shape[:2], np.uint8)
    quarter = len(planes) // 4
    planes[quarter : 2 * quarter, quarter : 2 * quarter] = 1
    return warp_frames(picture, field, times, planes)


def opencv(picture: Frames, field: Any, times: Any) -> Frames:
    import cv2

    h, w = picture.shape[:2]
    column, row = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    moved = field.at(times).displacement
    film = [picture]
    for one in moved:
        wide = cv2.resize(one, (w, h), interpolation=cv2.INTER_LINEAR)
        x, y = column - w * wide[..., 0], row - h * wide[..., 1]
        seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        film.append(np.asarray(seen, dtype=np.uint8))
    return np.stack(film)


def with_torch(picture: Frames, field: Any, times: Any) -> Frames:
    import torch
    import torch.nn.functional as F

    h, w = picture.shape[:2]
    moved = torch.from_numpy(field.at(times).displacement).permute(0, 3, 1, 2)
    moved = F.interpolate(moved, (h, w), mode="bilinear", align_corners=False).permute(0, 2, 3, 1)
    y, x = torch.meshgrid((torch.arange(h) + 0.5) / h * 2 - 1, (torch.arange(w) + 0.5) / w * 2 - 1, indexing="ij")
    grid = torch.stack([x, y], dim=-1) - 2 * moved
    whole = torch.from_numpy(picture).permute(2, 0, 1)[None].float().expand(len(grid), -1, -1, -1)
    seen = F.grid_sample(whole, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    later = seen.permute(0, 2, 3, 1).round().clamp(0, 255).byte().numpy()
    return np.concatenate([picture[None], later])


CONTENDERS: dict[str, Callable[[Frames, Any, Any], Frames]] = {
    "ours": ours,
    "ours-planes": ours_planes,
    "opencv": opencv,
    "torch": with_torch,
}


def exact(picture: Frames, field: Any, times: Any) -> tuple[Frames, npt.NDArray[np.bool_]]:
    """The last frame by the motion's true inverse, and where it lies inside the picture."""
    from scipy.ndimage import map_coordinates

    h, w = picture.shape[:2]
    moved = field.at(times[-1:]).pixels(h, w)[0].astype(np.float64)
    there = np.stack(np.meshgrid(np.arange(w, dtype=np.float64), np.arange(h, dtype=np.float64)), axis=-1)
    origin = there.copy()
    for _ in range(60):
        at = [origin[..., 1], origin[..., 0]]
        shift = np.stack([map_coordinates(moved[..., c], at, order=1, mode="nearest") for c in (0, 1)], axis=-1)
        origin = there - shift
    inside = np.asarray(((origin >= 0) & (origin <= [w - 1, h - 1])).all(axis=-1), dtype=bool)
    at = [origin[..., 1], origin[..., 0]]
    seen = [map_coordinates(picture[..., c].astype(np.float64), at, order=1, mode="nearest") for c in range(3)]
    return np.stack(seen, axis=-1).round().astype(np.uint8), inside


def be_contender(name: str, size: str) -> None:
    """One contender's process: a warm-up, then the best of five films by processor time."""
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    picture, field, times = case(*SIZES[size])
    film = CONTENDERS[name](picture, field, times)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        film = CONTENDERS[name](picture, field, times)
        seconds.append(time.process_time() - start)
    expected, inside = exact(picture, field, times)
    error = float(np.abs(film[-1].astype(int) - expected)[inside].mean())
    report_run(min(seconds), error=round(error, 2), frames=len(film))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", choices=NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--size", choices=tuple(SIZES), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.run:
        be_contender(options.run, options.size)
        return
    for size, (side, n, _) in SIZES.items():
        work = json.dumps({"pixels": side, "frames": n})
        compare("benchmarks.warp", NAMES, work, options.rounds, lambda _name, _earlier, size=size: ("--size", size))  # type: ignore[misc]


if __name__ == "__main__":
    main()
