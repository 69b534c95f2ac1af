"""The motion tables: every system on the same clips, masks and blocks.

`evaluate_motion` is pure: arrays and a table of clips in, DataFrames out. Differences and intervals follow
`brainviz.metrics`; what is compared with what follows `pipelines.evaluate.comparisons`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.errors import BrainvizError
from brainviz.metrics.blocks import enough_blocks
from brainviz.metrics.motion_scores import MASKS, PARTS, MotionScorer, MotionScores, MotionTruth
from brainviz.metrics.sampled import MEASURES, SampledScores, score_samples
from pipelines.evaluate.comparisons import FRAME_ALONE, ClipUnits, compare, summarise
from pipelines.evaluate.shift_null import shift_null

TABLES = (
    "motion",
    "motion_tests",
    "motion_summary",
    "motion_sampled",
    "motion_gain",
    "motion_null",
    "motion_coverage",
)
ORACLE = "codebook-oracle"
ALL_RUNS = "all"
_PART_MASKS = {"full": MASKS, "camera": ("none",), "residual": ("none", "moving")}

Predictions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class EvaluationConfig:
    """Settings of the evaluation; part of the stage's key.

    Attributes
    ----------
    seed : int
        Of permutations, resamples and shifts.
    n_shifts : int
        Draws of the circular-shift null.
    part_samples : int
        Samples of a sampled system whose camera and residual parts are scored (their mean has the same expectation as
        that of all samples; the fits are the slow part).
    """

    seed: int = 0
    n_shifts: int = 1_000
    part_samples: int = 1

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EvaluationConfig:
        """Settings from a mapping; an unknown key raises BrainvizError."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise BrainvizError(f"Unknown settings of the evaluation: {', '.join(unknown)}.", "evaluation config")
        return cls(**values)


@dataclass(frozen=True)
class _Scored:
    """One system under one choice of test runs."""

    parts: dict[str, MotionScores]
    sampled: dict[str, SampledScores]  # by mask


def evaluate_motion(
    subject: str,
    truth: MotionTruth,
    predictions: Predictions,
    edges: Sequence[float],
    quantise: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]] | None = None,
    config: EvaluationConfig | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, pd.DataFrame]:
    """Score and compare every system on one subject's test clips.

    Parameters
    ----------
    subject : str
    truth : MotionTruth
        Test clips and their labelled flow.
    predictions : mapping of runs -> mapping of system -> float32 (n, t, h, w, 2) or (n, samples, t, h, w, 2)
        `predictions["all"]` holds every system, on the mean of all test runs. Further keys ("odd", "even", "1",
        "2", ...) hold the systems that read fMRI, on those runs or on that number of averaged runs; the systems that
        read none are taken from "all".
    edges : two floats
        From `brainviz.metrics.motion_scores.speed_edges` on the TRAINING clips.
    quantise : callable, optional
        `Codebook.quantised`: adds the codebook oracle, the truth as the codebook says it at best.
    config : EvaluationConfig, optional
    progress : callable, optional
        Called with the fraction done and what is being done.

    Returns
    -------
    dict of table name -> DataFrame, every table with `subject` and `simulated`
        motion : clip, system, sample, mask, part, runs, grid, step_s, labeller, n_pixels, epe, angular_error,
            correlation, epe_zero, skill. One row per clip, system, sample, mask and part that has a pixel.
        motion_tests : a, b, mask, part, runs, measure, subset and the columns of `comparisons.compare`.
        motion_summary : system, mask, part, runs, measure and the columns of `comparisons.summarise`.
        motion_sampled : clip, system, mask, n_samples, epe, best, expected, energy.
        motion_gain : clip, gain_odd, gain_even, rank (1 = largest gain on odd runs): image-only minus brain, so above
            0 where the brain helped. Ranked on odd runs and reported on even ones.
        motion_null : kind, shift, epe, observed.
        motion_coverage : mask, n_clips, n_scored, valid_share, n_blocks, enough_blocks.

    Raises
    ------
    BrainvizError
        If "all" is missing; DataProblem where an array does not fit or holds NaN.
    """
    config = config or EvaluationConfig()
    tell = progress or (lambda _fraction, _what: None)
    if ALL_RUNS not in predictions:
        raise BrainvizError("There is no prediction on the mean of all test runs.", "predictions", "Add the key 'all'.")
    scorer = MotionScorer(truth, edges)
    units = ClipUnits.of(truth.clips)
    systems = dict(predictions[ALL_RUNS])
    if quantise is not None:
        systems[ORACLE] = quantise(scorer.flow())
    scored = _score_everything(scorer, {**predictions, ALL_RUNS: systems}, config, tell)
    tell(0.8, "Comparing systems")
    comparisons, summaries = _compare_everything(scored, scorer, units, config.seed)
    tables = {
        "motion": _motion_table(scored, scorer),
        "motion_tests": comparisons,
        "motion_summary": summaries,
        "motion_sampled": _sampled_table(scored[ALL_RUNS], scorer),
        "motion_gain": _gain_table(scored, scorer),
        "motion_null": _null_table(systems, scorer, config, tell),
        "motion_coverage": _coverage_table(scorer, units),
    }
    for table in tables.values():
        table.insert(0, "subject", subject)
        table["simulated"] = truth.simulated
    tell(1.0, "Done")
    return tables


def _score_everything(
    scorer: MotionScorer, predictions: Predictions, config: EvaluationConfig, tell: Callable[[float, str], None]
) -> dict[str, dict[str, _Scored]]:
    """Scores by runs and system: everything on the mean of all runs, the full unmasked flow on other choices."""
    scored: dict[str, dict[str, _Scored]] = {}
    total = sum(len(of_runs) for of_runs in predictions.values())
    done = 0
    for runs, of_runs in predictions.items():
        scored[runs] = {}
        for system, flow in of_runs.items():
            tell(0.8 * done / total, f"Scoring {system} ({runs} runs)")
            done += 1
            if runs != ALL_RUNS:
                scored[runs][system] = _Scored(scorer.score(flow, masks=("none",), name=system), {})
                continue
            parts = scorer.score(flow, name=system)
            few = flow if np.ndim(flow) == scorer.truth.flow.ndim else flow[:, : config.part_samples]
            for part in ("camera", "residual"):
                if system != ORACLE:
                    parts |= scorer.score(few, (part,), _PART_MASKS[part], name=system)
            scored[runs][system] = _Scored(parts, score_samples(scorer, flow, ("none", "moving"), system))
    return scored


def _compare_everything(
    scored: dict[str, dict[str, _Scored]], scorer: MotionScorer, units: ClipUnits, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    tests, summaries = [], []
    for runs, of_runs in scored.items():
        everyone = {**scored[ALL_RUNS], **of_runs}
        for part, mask, measure in _questions(runs):
            errors = {
                name: values
                for name, score in everyone.items()
                if (values := _errors(score, part, mask, measure)) is not None
            }
            zero = scorer.epe_zero(part, (mask,))[:, 0]
            label = {"mask": mask, "part": part, "runs": runs, "measure": measure}
            tests.append(compare(errors, units, seed).assign(**label))
            reported = {name: errors[name] for name in errors if runs == ALL_RUNS or name in of_runs}
            summaries.append(summarise(reported, zero, units, seed).assign(**label))
    return pd.concat(tests, ignore_index=True), pd.concat(summaries, ignore_index=True)


def _questions(runs: str) -> list[tuple[str, str, str]]:
    """Part, mask and measure of every comparison made for one choice of runs."""
    if runs != ALL_RUNS:
        return [("full", "none", "epe")]
    asked = [(part, mask, "epe") for part in PARTS for mask in _PART_MASKS[part]]
    return asked + [("full", mask, measure) for mask in ("none", "moving") for measure in MEASURES if measure != "epe"]


def _errors(score: _Scored, part: str, mask: str, measure: str) -> npt.NDArray[np.float64] | None:
    """Errors per clip, the mean over samples where there are several; None where this was not scored."""
    if measure != "epe":
        return getattr(score.sampled[mask], measure) if mask in score.sampled else None
    if part not in score.parts or mask not in score.parts[part].masks:
        return None
    scores = score.parts[part]
    return np.asarray(scores.epe[:, :, scores.masks.index(mask)].mean(1))


def _motion_table(scored: dict[str, dict[str, _Scored]], scorer: MotionScorer) -> pd.DataFrame:
    frames = [
        _rows(scores, scorer, part).assign(system=system, runs=runs)
        for runs, of_runs in scored.items()
        for system, score in of_runs.items()
        for part, scores in score.parts.items()
    ]
    table = pd.concat(frames, ignore_index=True)
    truth = scorer.truth
    grid = truth.flow.shape[-2]
    table = table.assign(grid=grid, step_s=float(np.mean(truth.step_s)), labeller=truth.labeller)
    table["skill"] = 1 - (table["epe"] / table["epe_zero"]).where(table["epe_zero"] > 0)
    order = ["clip", "system", "sample", "mask", "part", "runs", "grid", "step_s", "labeller", "n_pixels"]
    return table[[*order, "epe", "angular_error", "correlation", "epe_zero", "skill"]]


def _rows(scores: MotionScores, scorer: MotionScorer, part: str) -> pd.DataFrame:
    """Tidy rows of one system and part: clip by clip, then sample, then mask; clips without a pixel left out."""
    n, samples, n_masks = scores.epe.shape
    shape = (n, samples, n_masks)
    columns = [MASKS.index(mask) for mask in scores.masks]

    def spread(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.broadcast_to(values, shape).ravel()

    missing = np.full(shape, np.nan)
    frame = pd.DataFrame(
        {
            "clip": spread(scorer.truth.clips["clip"].to_numpy()[:, None, None]),
            "sample": spread(np.arange(samples)[None, :, None]),
            "mask": spread(np.array(scores.masks, dtype=object)[None, None]),
            "n_pixels": spread(scorer.n_pixels[:, None, columns]),
            "epe": scores.epe.ravel(),
            "angular_error": (missing if scores.angular_error is None else scores.angular_error).ravel(),
            "correlation": (missing if scores.correlation is None else scores.correlation).ravel(),
            "epe_zero": spread(scorer.epe_zero(part, scores.masks)[:, None]),
        }
    )
    return frame[frame["n_pixels"] > 0].assign(part=part)


def _sampled_table(scored: dict[str, _Scored], scorer: MotionScorer) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {"clip": scorer.truth.clips["clip"].to_numpy(), "system": system, "mask": mask, "n_samples": s.n_samples}
            | {measure: getattr(s, measure) for measure in MEASURES}
        )
        for system, score in scored.items()
        for mask, s in score.sampled.items()
    ]
    return pd.concat(frames, ignore_index=True).dropna(subset="epe", ignore_index=True)


def _gain_table(scored: dict[str, dict[str, _Scored]], scorer: MotionScorer) -> pd.DataFrame:
    """How much the brain helped each clip, from two halves of the runs; empty where the halves were not predicted."""
    columns = ["clip", "gain_odd", "gain_even", "rank"]
    halves = [scored.get(runs, {}).get("brain") for runs in ("odd", "even")]
    frame_alone = scored[ALL_RUNS].get(FRAME_ALONE)
    if frame_alone is None or halves[0] is None or halves[1] is None:
        return pd.DataFrame({"clip": pd.Series(dtype=object)} | {name: pd.Series(dtype=float) for name in columns[1:]})
    base = frame_alone.parts["full"].epe[:, 0, MASKS.index("none")]
    odd, even = (base - half.parts["full"].epe[:, 0, 0] for half in halves if half is not None)
    table = pd.DataFrame({"clip": scorer.truth.clips["clip"].to_numpy(), "gain_odd": odd, "gain_even": even})
    table = table.dropna(ignore_index=True)
    return table.assign(rank=table["gain_odd"].rank(ascending=False, method="first").astype(int))[columns]


def _null_table(
    systems: Mapping[str, Any], scorer: MotionScorer, config: EvaluationConfig, tell: Callable[[float, str], None]
) -> pd.DataFrame:
    tell(0.9, "Shifting predictions against the film")
    if "brain" not in systems:
        return pd.DataFrame(columns=["kind", "shift", "epe", "observed"])
    everything = slice(0, len(scorer.truth.clips))
    brain = scorer.samples_of(systems["brain"], everything, "brain")[:, 0]
    alone = systems.get(FRAME_ALONE)
    frame_alone = None if alone is None else scorer.samples_of(alone, everything, FRAME_ALONE)[:, 0]
    return shift_null(scorer, brain, frame_alone, config.n_shifts, config.seed)


def _coverage_table(scorer: MotionScorer, units: ClipUnits) -> pd.DataFrame:
    """How much of the test film can be scored under each mask, and on how many blocks."""
    rows = []
    for column, (mask, pixels) in enumerate(scorer.masks.items()):
        scored = scorer.n_pixels[:, column] > 0
        n_blocks = len(np.unique(units.blocks[scored]))
        rows.append((mask, len(scored), int(scored.sum()), float(pixels.mean()), n_blocks, enough_blocks(n_blocks)))
    return pd.DataFrame(rows, columns=["mask", "n_clips", "n_scored", "valid_share", "n_blocks", "enough_blocks"])
