"""What the benchmark scores: the metrics of reanimations, retrieval and classification; their protocols and chance."""

from __future__ import annotations

from brainviz.metrics.nway import nway_chance
from brainviz.metrics.video.names import METRICS, VideoMetric

TOP = 10
"""Retrieval counts a clip as found among so many."""

RETRIEVAL = ("retrieval-small", "retrieval-large")
_SEEN = {"image": "frames, one by one", "video": "moving film"}
_CLASSIFIERS = {"image": "imagenet-classifier", "video": "kinetics-classifier"}
WAYS = (2, 50)
CLASSIFICATION = tuple(f"{n}-way-{kind}" for kind in _CLASSIFIERS for n in WAYS)

BENCHMARK: dict[str, VideoMetric] = {
    **METRICS,
    "retrieval-small": VideoMetric(
        f"Retrieval, top {TOP}, small set",
        "share of clips",
        "high",
        (),
        True,
        "How often the shown clip is among the ten test clips most like the decoded vector.",
    ),
    "retrieval-large": VideoMetric(
        f"Retrieval, top {TOP}, large set",
        "share of clips",
        "high",
        (),
        True,
        "The same among test and training clips.",
    ),
    **{
        f"{n}-way-{kind}": VideoMetric(
            f"{n}-way classification, {kind}",
            "accuracy",
            "high",
            (network,),
            True,
            f"How often a classifier finds the film's class in the {_SEEN[kind]}, against {n - 1} other "
            f"class{'es' if n > 2 else ''} drawn at random. The true film's three most probable classes count as "
            f"right, so chance is not 1 in {n} but {nway_chance(n):.3f}. The mean over all draws of the others; the "
            "literature draws 100.",
        )
        for kind, network in _CLASSIFIERS.items()
        for n in WAYS
    },
}
"""All metrics in the order of pages and tables."""

SHORT = {
    "epe": "EPE",
    "epe-moving": "EPE, objects",
    "ssim-grid": "SSIM 32",
    "ssim-columns": "SSIM, columns",
    "hue-correlation": "Hue",
    "hue-cosine": "Hue cosine",
    "warping-error": "Flicker",
    "videomae-cosine": "VideoMAE",
    "clip-cosine": "CLIP",
    "clip-pcc-adjacent": "CLIP-pcc (adj.)",
    "clip-pcc-gated": "CLIP-pcc (gated)",
    "retrieval-small": "Top 10, small",
    "retrieval-large": "Top 10, large",
    **{name: name for name in CLASSIFICATION},
}
SHORT |= {name: metric.title for name, metric in BENCHMARK.items() if name not in SHORT}
"""Names for heads of columns and for the foot of a panel."""


def chance(metric: str, gallery: int = 0) -> float:
    """Value of a decoder that knows nothing; NaN where a metric has no such level. `gallery`: clips to choose from."""
    from brainviz.metrics.retrieval import retrieval_chance

    if metric in RETRIEVAL:
        return retrieval_chance(TOP, gallery) if gallery else float("nan")
    if metric in CLASSIFICATION:
        return nway_chance(int(metric.split("-")[0]))
    return float("nan")


def protocol(metric: str, size: int, labeller: str, gallery: int = 0) -> str:
    """Tag of what a value may be compared with: ``frames-128``, ``flow-32-dis``, ``retrieval-360`` and so on.

    Parameters
    ----------
    metric : str
        A name in `BENCHMARK`.
    size : int
        Side of the compared frames in pixels.
    labeller : str
        What measured the flow.
    gallery : int
        Of retrieval: clips to choose from.
    """
    if metric in RETRIEVAL:
        return f"retrieval-{gallery}"
    if metric.startswith("epe"):
        return f"flow-32-{labeller}"
    if metric == "warping-error":
        return f"flow-own-{labeller}"
    if BENCHMARK[metric].weights:
        return "+".join(BENCHMARK[metric].weights)
    return "frames-32" if metric == "ssim-grid" else f"frames-{size}"


def better(metric: str) -> float:
    """1 where a higher value is better, -1 where a lower one is."""
    return 1.0 if BENCHMARK[metric].better == "high" else -1.0
