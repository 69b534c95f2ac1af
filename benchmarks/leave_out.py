"""Leaving out 180 regions at real size: ours against brute-force refits with scikit-learn.

python benchmarks/leave_out.py [--clips 4320] [--vertices 8000] [--regions 180] [--brute 3] [--threads 2]

Both refit the same decoder without the same regions, penalties kept; the peer gathers the windows of the remaining
vertices, makes their kernel and solves it for every penalty. Times of the peer are per region, times the regions.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise

import numpy as np

from pipelines.leave_out.conditional import ConditionalMean
from pipelines.leave_out.model import FullModel, Recording, all_but, features
from pipelines.leave_out.refits import Part
from pipelines.motion_decoder.data import BoldWindows

WINDOW, TARGETS, FILMS, ALPHAS = 5, 64, 18, (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)


def recording(clips: int, test: int, vertices: int, seed: int) -> tuple[Recording, np.ndarray]:
    """Random activity with 60 shared sources; targets follow twenty of them."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(60, vertices)).astype(np.float32)

    def windows(n: int) -> tuple[BoldWindows, np.ndarray]:
        source = rng.normal(size=(n + WINDOW - 1, 60)).astype(np.float32)
        volumes = source @ mixing * 0.1 + rng.normal(size=(len(source), vertices)).astype(np.float32)
        return BoldWindows(volumes, np.arange(n)[:, None] + np.arange(WINDOW)[None]), source[2 : n + 2, :20]

    train, sources = windows(clips)
    noise = np.geomspace(0.3, 30, TARGETS) * rng.normal(size=(clips, TARGETS))
    return Recording(train, windows(test)[0]), sources @ rng.normal(size=(20, TARGETS)) + noise


def brute_force(model: FullModel, kept: np.ndarray) -> np.ndarray:
    """The refit by scikit-learn's KernelRidge, from the windows of the vertices that remain."""
    from sklearn.kernel_ridge import KernelRidge

    own, own_test = (features(w, kept, np.float32) for w in (model.recording.train, model.recording.test))
    kernel, test_kernel = own @ own.T + np.float32(model.constant), own_test @ own.T + np.float32(model.constant)
    scores = np.empty((len(own_test), TARGETS), np.float32)
    for penalty, columns in model.groups:
        ridge = KernelRidge(alpha=penalty, kernel="precomputed").fit(kernel, model.targets[:, columns])
        scores[:, columns] = ridge.predict(test_kernel)
    return scores


def measure(arguments: argparse.Namespace) -> None:
    bold, targets = recording(arguments.clips, arguments.clips // 4, arguments.vertices, 0)
    fold = np.arange(arguments.clips) * FILMS // arguments.clips % 6
    begin = time.perf_counter()
    model = FullModel.fit(bold, targets, fold, np.array(ALPHAS))
    print(
        f"full decoder: {time.perf_counter() - begin:.1f} s, {len(model.groups)} penalties, {model.precision.__name__}"
    )
    sizes = np.random.default_rng(1).lognormal(0, 0.8, arguments.regions)
    edges = np.concatenate([[0], np.cumsum(sizes / sizes.sum() * arguments.vertices)]).round().astype(int)
    parts = [np.arange(a, b) for a, b in pairwise(edges) if b > a]
    ways = {"unique": lambda m: Part(model, m).without(), "alone": lambda m: Part(model, m).only()}
    conditional = ConditionalMean(model, 0.3 * float((np.asarray(bold.train.volumes) ** 2).sum(1).mean()))
    ways["reliance"] = conditional.scores
    for name, way in ways.items():
        begin = time.perf_counter()
        for part in parts:
            way(part)
        print(f"{name}: {len(parts)} regions in {time.perf_counter() - begin:.1f} s")
    spent, apart = 0.0, 0.0
    for part in parts[:: max(1, len(parts) // arguments.brute)][: arguments.brute]:
        begin = time.perf_counter()
        expected = brute_force(model, all_but(arguments.vertices, part))
        spent += time.perf_counter() - begin
        apart = max(apart, float(np.abs(Part(model, part).without() - expected).max() / np.abs(expected).max()))
    whole = spent / arguments.brute * len(parts)
    print(
        f"scikit-learn, unique: {whole:.0f} s for {len(parts)} regions (from {arguments.brute}); differs by {apart:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in (("clips", 4320), ("vertices", 8000), ("regions", 180), ("brute", 3), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    arguments = parser.parse_args()
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=arguments.threads):
        measure(arguments)


if __name__ == "__main__":
    main()
