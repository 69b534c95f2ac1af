"""Voxel-wise ridge against himalaya and scikit-learn, and against the matrix products of trying every alpha.

    python -m benchmarks.ridge [--targets 60000] [--threads 2] [--rounds 3]

Work: 1,000 x 3,072 features, 20 alphas (1 to 1e6), 5 folds of whole segments, an alpha of its own and dual weights for
every target, from arrays in memory to arrays in memory. All choose alphas by the same criterion, the mean over folds of
Pearson r within the fold, on the same folds with an intercept; `himalaya-l2` is himalaya with its default criterion.

- `ours`: decompositions included.
- `himalaya`: KernelRidgeCV, with the quickest of the batch sizes tried first on a tenth of the targets.
- `himalaya-primal`: RidgeCV, batched likewise.
- `scikit-learn`: loops of Ridge over alphas and folds, one refit per chosen alpha, on --few targets, scaled up.
- `floor`: predictions of every alpha on every fold, plus two n x n products for the weights, at the float32 rate
  measured in the same process.

`agreement` is the part of targets with himalaya's alpha, `difference` the largest |difference| of the cross-validated r
at the alphas chosen, both between `ours` and `himalaya`. `ratio` is ours over the contender's seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._measure import report_run, run_once

N, CHANNELS, DELAYS, FOLDS = 1000, 1024, 3, 5
ALPHAS = np.logspace(0, 6, 20)
BATCHES = ((512, None), (1024, None), (4096, None), (1024, 5), (4096, 5), (None, 1))
"""Batches of targets and of alphas that himalaya may choose from; None is all at once."""
NAMES = ("ours", "himalaya", "himalaya-l2", "himalaya-primal", "scikit-learn", "floor")

Array = npt.NDArray[np.float32]


def data(n_targets: int) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Slow random features at three delays, targets of which 64 features explain a varying part, segment of a row."""
    draw = np.random.default_rng(0)
    channels = draw.standard_normal((N, CHANNELS)).astype(np.float32)
    for i in range(1, N):
        channels[i] = 0.8 * channels[i - 1] + 0.6 * channels[i]
    x = np.concatenate([np.roll(channels, delay, 0) for delay in range(1, DELAYS + 1)], axis=1)
    x = (x - x.mean(0)) / x.std(0)
    y = x[:, :64] @ draw.standard_normal((64, n_targets)).astype(np.float32)
    y *= draw.uniform(0, 0.1, n_targets).astype(np.float32)
    y += draw.standard_normal((N, n_targets), dtype=np.float32)
    y -= y.mean(0)
    y /= y.std(0)
    return x, y, np.repeat(np.arange(FOLDS), N // FOLDS)


def ours(x: Array, y: Array, segment: npt.NDArray[np.int64], options: argparse.Namespace) -> dict[str, Any]:
    from pipelines.encoding.decomposition import decompose
    from pipelines.encoding.ridge import fit

    fitted = fit(decompose(x, segment), y, ALPHAS)
    _keep(options, fitted.alpha, fitted.cv_r)
    choice = fitted.choice
    return {"products": choice.products, "searched_again": round(choice.searched_again, 4), "error": choice.error}


def himalaya(x: Array, y: Array, segment: npt.NDArray[np.int64], options: argparse.Namespace) -> dict[str, Any]:
    from himalaya.kernel_ridge import KernelRidgeCV
    from himalaya.scoring import correlation_score, l2_neg_loss
    from sklearn.model_selection import PredefinedSplit

    batches = json.loads(options.batches)
    params = {
        "n_targets_batch": batches[0],
        "n_targets_batch_refit": batches[0],
        "n_alphas_batch": batches[1],
        "score_func": l2_neg_loss if options.run == "himalaya-l2" else correlation_score,
    }
    model = KernelRidgeCV(ALPHAS, cv=PredefinedSplit(segment), fit_intercept=True, solver_params=params)
    model.fit(x, y)
    _keep(options, model.best_alphas_, model.cv_scores_)
    return {}


def himalaya_primal(x: Array, y: Array, segment: npt.NDArray[np.int64], options: argparse.Namespace) -> dict[str, Any]:
    from himalaya.ridge import RidgeCV
    from himalaya.scoring import correlation_score
    from sklearn.model_selection import PredefinedSplit

    batches = json.loads(options.batches)
    params = {"n_targets_batch": batches[0], "n_alphas_batch": batches[1], "score_func": correlation_score}
    RidgeCV(ALPHAS, cv=PredefinedSplit(segment), fit_intercept=True, solver_params=params).fit(x, y)
    return {}


def scikit_learn(x: Array, y: Array, segment: npt.NDArray[np.int64], options: argparse.Namespace) -> dict[str, Any]:
    from sklearn.linear_model import Ridge

    few = y[:, : options.few]
    scores = np.zeros((len(ALPHAS), few.shape[1]))
    for fold in range(FOLDS):
        train, held = segment != fold, segment == fold
        for i, alpha in enumerate(ALPHAS):
            predicted = Ridge(alpha=alpha).fit(x[train], few[train]).predict(x[held])
            scores[i] += _correlation(predicted, few[held])
    best = scores.argmax(0)
    for i in np.unique(best):
        Ridge(alpha=ALPHAS[i]).fit(x, few[:, best == i])
    return {"targets": few.shape[1], "note": "seconds are those of fewer targets, scaled up"}


def _correlation(a: Array, b: Array) -> Array:
    a, b = a - a.mean(0), b - b.mean(0)
    r: Array = (a * b).sum(0) / np.sqrt((a * a).sum(0) * (b * b).sum(0))
    return r


def floor_seconds(n_targets: int, clock: Callable[[], float]) -> float:
    """Seconds of the products of the exhaustive search and of the refit at the present float32 rate."""
    import torch

    a, b = torch.randn(1600, 1600), torch.randn(1600, 4000)
    out = a @ b
    seconds = []
    for _ in range(7):
        start = clock()
        torch.mm(a, b, out=out)
        seconds.append(clock() - start)
    rate = 2 * 1600 * 1600 * 4000 / min(seconds)
    held = N // FOLDS
    return (2 * len(ALPHAS) * FOLDS * held * (N - held) + 4 * N * N) * n_targets / rate


CONTENDERS = {
    "ours": ours,
    "himalaya": himalaya,
    "himalaya-l2": himalaya,
    "himalaya-primal": himalaya_primal,
    "scikit-learn": scikit_learn,
}


def _keep(options: argparse.Namespace, alpha: Any, score: Any) -> None:
    if options.keep:
        score = np.asarray(score)
        np.savez(options.keep, alpha=np.asarray(alpha), score=score.max(0) if score.ndim > 1 else score)


def be_contender(options: argparse.Namespace) -> None:
    """One contender's process: data, a warm-up of the library, the timed run."""
    import torch

    torch.set_num_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    if options.run == "floor":
        report_run(floor_seconds(options.targets, clock))
        return
    from himalaya.backend import set_backend

    set_backend("torch")
    x, y, segment = data(options.targets)
    contender = CONTENDERS[options.run]
    keep, options.keep = options.keep, ""
    contender(x, y[:, :64].copy(), segment, options)
    options.keep = keep
    cpu, start = time.process_time(), clock()
    facts = contender(x, y, segment, options)
    seconds, cpu = clock() - start, time.process_time() - cpu
    scale = options.targets / facts["targets"] if "targets" in facts else 1.0
    report_run(seconds * scale, cpu_seconds=round(cpu * scale, 2), y_gb=round(y.nbytes / 1e9, 3), **facts)


def _arguments(options: argparse.Namespace, targets: int, batches: Any, keep: str = "") -> list[str]:
    few = ["--targets", str(targets), "--threads", str(options.threads), "--few", str(options.few)]
    return [*few, "--batches", json.dumps(batches), "--keep", keep]


def best_batches(name: str, options: argparse.Namespace) -> Any:
    """The quickest of `BATCHES` on a tenth of the targets."""
    seconds: dict[Any, float] = {}
    for batches in BATCHES:
        arguments = _arguments(options, max(2000, options.targets // 10), batches)
        seconds[batches] = run_once("benchmarks.ridge", name, arguments)["seconds"]
    return min(BATCHES, key=lambda batches: seconds[batches])


def compare(options: argparse.Namespace) -> None:
    """All contenders in turn, `rounds` times; one JSON line each."""
    names = [name for name in NAMES if name in options.names.split(",")]
    batches = {name: best_batches(name, options) for name in names if name.startswith("himalaya")}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(options.rounds):
            for name in names:
                if name in ("scikit-learn", "himalaya-primal") and turn:
                    continue
                arguments = _arguments(options, options.targets, batches.get(name), str(Path(folder, f"{name}.npz")))
                runs[name].append(run_once("benchmarks.ridge", name, arguments))
        agreement = _agreement(Path(folder)) if {"ours", "himalaya"} <= set(names) else {}
    base = statistics.median(run["seconds"] for run in runs[names[0]])
    for name in names:
        seconds = statistics.median(run["seconds"] for run in runs[name])
        line = {"name": name, "seconds": round(seconds, 3), "ratio": round(base / seconds, 3), "runs": len(runs[name])}
        line |= {"threads": options.threads, "targets": options.targets, "batches": batches.get(name)}
        line |= agreement if name == "ours" else {}
        print(json.dumps(line | {k: v for k, v in runs[name][-1].items() if k != "seconds"}), flush=True)


def _agreement(folder: Path) -> dict[str, float]:
    with np.load(folder / "ours.npz") as mine, np.load(folder / "himalaya.npz") as theirs:
        same = np.isclose(mine["alpha"], theirs["alpha"], rtol=1e-3).mean()
        return {"agreement": float(same), "difference": float(np.abs(mine["score"] - theirs["score"]).max())}


def main() -> None:
    """Compare, or be one contender's process (`--run`)."""
    parser = argparse.ArgumentParser(description="Speed of voxel-wise ridge.")
    parser.add_argument("--run", choices=NAMES)
    parser.add_argument("--names", default=",".join(NAMES), help="contenders, separated by commas")
    parser.add_argument("--targets", type=int, default=60000)
    parser.add_argument("--few", type=int, default=500, help="targets for scikit-learn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", default="null")
    parser.add_argument("--keep", default="")
    options = parser.parse_args()
    if options.run:
        be_contender(options)
    else:
        compare(options)


if __name__ == "__main__":
    main()
