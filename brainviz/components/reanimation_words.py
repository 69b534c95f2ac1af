"""Names and sentences of the Reanimation page: films by system, masks, metrics."""

from __future__ import annotations

from dataclasses import dataclass

from brainviz.figures.palette import look
from brainviz.metrics.video.names import METRICS

FILM = "film"
_LABELS = {"film": "Film", "truth": "True motion", "zero": "Frozen first frame"}
_EXPLANATIONS = {
    "film": "The film that was shown.",
    "truth": "The first frame moved by the film's own flow: how far this way of rendering can go at best.",
    "zero": "The first frame standing still: the control that every metric has to beat.",
    "brain": "The first frame moved by what our decoder predicts from it and from fMRI.",
    "image-only": "The first frame moved by what the same decoder predicts without fMRI.",
    "prior": "The first frame moved by the flow of a training clip with a similar first frame; no fMRI.",
}

MASKS = {
    "none": "Whole frame",
    "predicted-objects": "Objects, found in the predicted motion",
    "film-objects": "Objects, found in the true film",
    "flowsam": "Objects, FlowSAM on the true film",
}
MASK_NOTES = {
    "none": "All of the flow moves the frame, the camera's part included.",
    "predicted-objects": "Only what moves against the camera in the system's own flow. No film after the first frame.",
    "film-objects": "Only what moves against the camera in the true film: true motion enters through the mask.",
    "flowsam": "Only FlowSAM's objects in the true film, as in the paper: true motion enters through the mask.",
}
USES_FILM = ("film-objects", "flowsam")


def label(system: str) -> str:
    """Name of a panel."""
    return _LABELS.get(system) or look(system).label


def explanation(system: str) -> str:
    """One sentence on what a panel shows."""
    return _EXPLANATIONS.get(system) or f"The first frame, moved. {look(system).explanation}"


def flag(system: str, mask: str, uses_film: bool, still: bool = False) -> str:
    """The mark in a panel's picture: predicted to be still, or the film after its first frame entered; else ""."""
    if still:
        return "shown still: motion below the decoder’s error"
    if system == FILM or not uses_film:
        return ""
    return "driven by the true film" if system == "truth" else f"mask from the true film: {MASKS.get(mask, mask)}"


@dataclass(frozen=True)
class MetricWords:
    """How one metric is told.

    Attributes
    ----------
    label, unit, explanation : str
    digits : int
        After the point.
    smaller_is_better : bool
    """

    label: str
    unit: str
    explanation: str
    digits: int = 3
    smaller_is_better: bool = False


# Under a panel stand the metrics that compare it with the film, in this order; a frozen frame is perfect on the others.
SHORT = {
    "epe": "EPE",
    "ssim": "SSIM",
    "psnr": "PSNR",
    "hue-correlation": "Hue",
    "videomae-cosine": "VideoMAE",
    "clip-cosine": "CLIP",
    "vifi": "VIFI",
    "epe-moving": "EPE, objects",
}
_DIGITS = {"epe": 2, "epe-moving": 2, "psnr": 1}


def metric_words(metric: str) -> MetricWords:
    """How a metric is told; one that the project does not know keeps its own name."""
    known = METRICS.get(metric)
    if known is None:
        return MetricWords(metric, "", metric)
    better = "Smaller is better." if known.better == "low" else "Larger is better."
    unit = f", {known.unit}" if known.unit else ""
    explanation = f"{known.title}{unit}. {known.note} {better}"
    return MetricWords(
        SHORT.get(metric, known.title), known.unit, explanation, _DIGITS.get(metric, 3), known.better == "low"
    )


def metrics_in_order(metrics: list[str]) -> list[str]:
    """Those of the metrics that stand under a panel, in the page's order."""
    return [name for name in SHORT if name in metrics]
