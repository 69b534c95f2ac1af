"""What is scored of a reanimation: names as they stand in the tables, which way is better, what each needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VideoMetric:
    """One score.

    Attributes
    ----------
    title, unit : str
    better : str
        "low" or "high".
    weights : tuple of str
        Networks without which it cannot be had; empty for most.
    against_truth : bool
        False for scores that look at the film alone, by which a frozen frame is perfect.
    note : str
        One sentence.
    """

    title: str
    unit: str
    better: str
    weights: tuple[str, ...]
    against_truth: bool
    note: str


METRICS: dict[str, VideoMetric] = {
    "epe": VideoMetric(
        "End-point error",
        "px of 32 per step",
        "low",
        (),
        True,
        "Flow measured in the reanimation against flow measured in the film, by the same labeller, on the same pixels.",
    ),
    "epe-moving": VideoMetric(
        "End-point error, objects",
        "px of 32 per step",
        "low",
        (),
        True,
        "The same, over objects that move against the camera.",
    ),
    "ssim": VideoMetric(
        "SSIM", "", "high", (), True, "2-D, RGB, mean over the label times after the first frame that no cut parts."
    ),
    "ssim-grid": VideoMetric(
        "SSIM, 32 px",
        "",
        "high",
        (),
        True,
        "The same on frames of 32 px, where a pixel is a cell of the flow: no flow here places finer detail.",
    ),
    "psnr": VideoMetric("PSNR", "dB", "high", (), True, "Over the same frames."),
    "ssim-columns": VideoMetric(
        "SSIM, columns (NEURONS)",
        "",
        "high",
        (),
        True,
        "As NEURONS’ released program has it: 1-D, along each column of the grey frame. Structure across columns does "
        "not count, so its values stand apart from those of SSIM.",
    ),
    "hue-correlation": VideoMetric(
        "Hue correlation",
        "",
        "high",
        (),
        True,
        "Circular, over pixels that have a hue: 0 for unrelated hues. What Mind-Animator published is the cosine.",
    ),
    "hue-cosine": VideoMetric(
        "Hue cosine (Mind-Animator)",
        "",
        "high",
        (),
        True,
        "The “hue-pcc” of Mind-Animator’s released program: no correlation but a cosine between 8-bit hues (0 to "
        "179) of frames with red and blue swapped; about .75 for unrelated noise.",
    ),
    "warping-error": VideoMetric(
        "Warping error", "", "low", (), False, "Flicker: frames against their successors carried back by their flow."
    ),
    "videomae-cosine": VideoMetric(
        "VideoMAE cosine", "", "high", ("videomae-large",), True, "Between pooled features of film and reanimation."
    ),
    "clip-cosine": VideoMetric("CLIP cosine", "", "high", ("clip",), True, "Frame by frame, averaged."),
    "clip-pcc-adjacent": VideoMetric(
        "CLIP-pcc (adjacent)",
        "",
        "high",
        ("clip",),
        False,
        "Mean cosine between neighbouring frames, as NEURONS has it; the gated one is 0 for many films.",
    ),
    "vifi": VideoMetric("VIFI", "", "high", ("vifi-clip",), True, "Cosine of ViFi-CLIP's embeddings."),
    "clip-pcc-gated": VideoMetric(
        "CLIP-pcc (gated)",
        "",
        "high",
        ("clip", "vifi-clip"),
        False,
        "The adjacent one, but 0 where VIFI is .6 or less, as Mind-Animator has it.",
    ),
}


def improves(metric: str) -> float:
    """1 where a higher value is better, -1 where a lower one is."""
    return 1.0 if METRICS[metric].better == "high" else -1.0
