"""Do the statistics of encoding maps keep their promises? `python -m pipelines.encoding.calibration`

Draws many small worlds with a known truth (`calibration_world`) and runs on each exactly what the pipeline runs. A
false discovery rate is a mean over many data sets, so it is judged as one; so are coverage and family-wise error. A
measure that is a yes or no per world keeps its promise where its mean lies within it or less than two standard errors
of that mean beyond it; the others must lie within it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from brainviz.metrics.block_bootstrap import Resampling
from brainviz.metrics.block_sums import BLOCK_VOLUMES, volume_blocks
from brainviz.metrics.estimates import Estimates
from brainviz.metrics.vertex_tests import assess_encoder, compare_encoders
from pipelines.encoding.calibration_world import World, WorldConfig, draw_world

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
COVERAGE = (0.93, 0.97)
FIRST_SEED = 20_001
"""Development used seeds below this one."""
DEMO_FILMS = (124, 124, 124)
REAL_FILMS = (240, 240, 240, 240, 240)
_EXACT = 1e-9  # true correlations and differences below this are zero

Truth = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Promise:
    """What a measure must be: at least `low` and at most `high`."""

    low: float
    high: float

    def kept(self, value: float, allowance: float = 0.0) -> bool:
        """Whether the value lies within, or beyond by no more than the allowance."""
        return self.low - allowance <= value <= self.high + allowance

    def __str__(self) -> str:
        """In words."""
        return f"at most {self.high:.2f}" if self.low <= 0 else f"{self.low:.2f} to {self.high:.2f}"


_AT_MOST_ALPHA = Promise(0.0, ALPHA)
_COVERS = Promise(*COVERAGE)
PROMISES = {
    "false discoveries, r > 0, vertices": _AT_MOST_ALPHA,
    "false discoveries, r > 0, regions": _AT_MOST_ALPHA,
    "false discoveries, contrast, vertices": _AT_MOST_ALPHA,
    "false discoveries, contrast, regions": _AT_MOST_ALPHA,
    "any false vertex by max-T": _AT_MOST_ALPHA,
    "coverage, r, vertices": _COVERS,
    "coverage, r, regions": _COVERS,
    "coverage, mean r": _COVERS,
    "coverage, difference, vertices": _COVERS,
    "coverage, difference, regions": _COVERS,
    "coverage, mean difference": _COVERS,
}

YES_OR_NO = ("any false vertex by max-T", "coverage, mean r", "coverage, mean difference")
"""One answer per map; so are false discoveries where there is no signal, since then each discovery is false."""


def measure(world: World, films: Sequence[int], resampling: Resampling) -> dict[str, float]:
    """All measures of one world, by the names of `PROMISES`; power of the two tests besides."""
    blocks = volume_blocks({f"film{k}": n for k, n in enumerate(films)}, BLOCK_VOLUMES)
    tests = [assess_encoder(each, world.measured, blocks, world.regions, resampling) for each in world.predictions]
    contrast = compare_encoders(tests[0].sums, tests[1].sums, world.regions, resampling)
    difference = world.true_r[0] - world.true_r[1]
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for test, truth in zip(tests, world.true_r, strict=True):
        in_regions = region_means(truth, world)
        note("false discoveries, r > 0, vertices", false_share(test.vertices, truth, one_sided=True))
        note("false discoveries, r > 0, regions", false_share(test.regions, in_regions, one_sided=True))
        note("any false vertex by max-T", float((test.p_max[truth <= _EXACT] < ALPHA).any()))
        note("coverage, r, vertices", covered(test.vertices, truth))
        note("coverage, r, regions", covered(test.regions, in_regions))
        note("coverage, mean r", covered(test.mean, truth.mean(keepdims=True)))
        note("power, r > 0, vertices", power(test.vertices, truth > 0.1))
    in_regions = region_means(difference, world)
    note("false discoveries, contrast, vertices", false_share(contrast.vertices, difference, one_sided=False))
    note("false discoveries, contrast, regions", false_share(contrast.regions, in_regions, one_sided=False))
    note("coverage, difference, vertices", covered(contrast.vertices, difference))
    note("coverage, difference, regions", covered(contrast.regions, in_regions))
    note("coverage, mean difference", covered(contrast.mean, difference.mean(keepdims=True)))
    note("power, contrast, vertices", power(contrast.vertices, np.abs(difference) > 0.1))
    return {name: float(np.mean(values)) for name, values in found.items()}


def false_share(estimates: Estimates, truth: Truth, one_sided: bool) -> float:
    """False discovery proportion at q < .05; 0 without discoveries. The wrong sign is false too."""
    found = estimates.q < ALPHA
    right = truth > _EXACT if one_sided else (np.abs(truth) > _EXACT) & (np.sign(truth) == np.sign(estimates.value))
    return float((found & ~right).sum() / max(found.sum(), 1))


def covered(estimates: Estimates, truth: Truth) -> float:
    """Share of intervals that hold the truth."""
    return float(((estimates.low <= truth) & (truth <= estimates.high)).mean())


def power(estimates: Estimates, present: npt.NDArray[np.bool_]) -> float:
    """Share of the clearly present that are found at q < .05; NaN where nothing is."""
    return float((estimates.q[present] < ALPHA).mean()) if present.any() else float("nan")


def region_means(truth: Truth, world: World) -> Truth:
    """Mean truth over each region's vertices."""
    total = np.bincount(world.regions.label, truth, world.regions.n)
    return np.asarray(total / np.bincount(world.regions.label, minlength=world.regions.n))


def calibrate(
    setting: str, config: WorldConfig, seeds: int, first: int = FIRST_SEED, resampling: Resampling | None = None
) -> pd.DataFrame:
    """Run `seeds` worlds of one setting.

    Parameters
    ----------
    setting : str
        Its name in the table.
    config : WorldConfig
    seeds, first : int
        Number of worlds, and the first one's seed.
    resampling : Resampling

    Returns
    -------
    DataFrame
        setting, measure, value (mean over worlds), error (of that mean), bound (in words; empty without a promise),
        passed, seeds.
    """
    import pandas as pd

    if seeds < 2:
        raise BrainvizError(f"{seeds} worlds give no mean over data sets.", "--seeds", "Use 20 or more.")
    chosen = resampling or Resampling()
    worlds = (draw_world(config, first + k) for k in range(seeds))
    measured = pd.DataFrame([measure(world, config.films, chosen) for world in worlds])
    rows = []
    for name in measured.columns:
        values = measured[name].dropna()
        promise = PROMISES.get(name)
        if values.empty or (config.strength == 0 and name.startswith("power")):
            continue
        value = float(values.mean())
        error = float(values.std() / np.sqrt(len(values)))
        counted = name in YES_OR_NO or (config.strength == 0 and name.startswith("false"))
        passed = promise.kept(value, 2 * error if counted else 0.0) if promise else True
        rows.append((setting, name, value, error, str(promise or ""), passed, seeds))
    return pd.DataFrame(rows, columns=["setting", "measure", "value", "error", "bound", "passed", "seeds"])


def settings(seeds: int) -> list[tuple[str, WorldConfig, int]]:
    """The settings that are verified: demo and real numbers of blocks with signal, and demo size without any."""
    demo = WorldConfig(films=DEMO_FILMS)
    return [
        ("24 blocks", demo, seeds),
        ("24 blocks, no signal", replace(demo, strength=0.0), seeds),
        ("80 blocks", WorldConfig(films=REAL_FILMS), max(2, seeds // 2)),
    ]


def show(table: pd.DataFrame) -> str:
    """The table as text, with its verdict as the last line."""
    lines = [f"{'setting':<21} {'seeds':>5} {'measure':<38} {'value':>6} {'error':>6}  {'holds':<5} bound"]
    for row in table.to_dict("records"):
        holds = ("yes" if row["passed"] else "NO") if row["bound"] else ""
        lines.append(
            f"{row['setting']:<21} {row['seeds']:>5} {row['measure']:<38} {row['value']:>6.3f} {row['error']:>6.3f}"
            f"  {holds:<5} {row['bound']}"
        )
    promised = table[table["bound"] != ""]
    good, total = int(promised["passed"].sum()), len(promised)
    return "\n".join([*lines, f"{good} of {total} promises are kept" + ("" if good == total else ": NOT CALIBRATED")])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns 0 where every promise is kept, 1 where one is not, 2 where the work could not be done."""
    import pandas as pd

    parser = argparse.ArgumentParser(prog="python -m pipelines.encoding.calibration", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="worlds of demo size; half as many of real size")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    options = parser.parse_args(arguments)
    try:
        tables = [calibrate(name, config, n, options.first_seed) for name, config, n in settings(options.seeds)]
    except BrainvizError as error:
        print(error, file=sys.stderr)
        return 2
    table = pd.concat(tables, ignore_index=True)
    print(show(table))
    return 0 if bool(table["passed"].all()) else 1


if __name__ == "__main__":
    sys.exit(main())
