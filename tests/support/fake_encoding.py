"""Encoding results for the fake workspace: maps in closed form, tables that say which regions differ, tiny weights."""

from __future__ import annotations

import zlib
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from brainviz.cortex import glasser, load_surface
from brainviz.results import ResultStore
from brainviz.storage import write_array, write_table

ENCODERS = ("gabor-colour", "motion-energy", "motion-energy.frozen", "motion-energy.reversed")
BETTER, WORSE = ("MT", "MST", "V3A"), ("V4", "V8")  # both sides; motion energy against Gabor and colour
CHANNELS, RANK, DELAYS_S = 3, 2, (2.0, 4.0, 6.0, 8.0)
N_BLOCKS = 24
LEVEL = {"gabor-colour": 0.16, "motion-energy": 0.18, "motion-energy.frozen": 0.09, "motion-energy.reversed": 0.17}


def seed_of(*words: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def inside(names: tuple[str, ...]) -> np.ndarray:
    """bool (64984,): vertices of these areas, both sides."""
    return np.isin(glasser().labels, [label for name in names for label in glasser().ids(name)])


def r_map(subject: str, encoder: str) -> np.ndarray:
    """float32 (64984,): waves over the surface; motion energy is better in `BETTER`, worse in `WORSE`."""
    surface = load_surface()
    x, y, z = surface.midthickness.T
    visual = np.clip(-(y + 20) / 80, 0, 1)
    r = LEVEL[encoder] * visual + 0.02 * np.sin(x / 9 + int(subject)) * np.cos(z / 7)
    if encoder == "motion-energy":
        r = r + 0.2 * inside(BETTER) - 0.15 * inside(WORSE)
    return np.where(surface.mask, r, np.nan).astype(np.float32)


def companions(value: np.ndarray, kind: str) -> dict[str, np.ndarray]:
    """low, high and q of a map."""
    q = np.clip(10 ** (-14 * np.abs(value) + 0.3), 1e-6, 1).astype(np.float32)
    width = np.where(np.isfinite(value), np.float32(0.08), np.nan).astype(np.float32)
    return {f"{kind}low": value - width, f"{kind}high": value + width, f"{kind}q": q}


def region_means(value: np.ndarray) -> np.ndarray:
    """Mean per region, float (360,)."""
    keep = np.isfinite(value)
    labels = glasser().labels[keep]
    return (np.bincount(labels, value[keep], 361) / np.maximum(np.bincount(labels, minlength=361), 1))[1:]


def region_frame(subject: str, value: np.ndarray) -> pd.DataFrame:
    means = region_means(value)
    counts = np.bincount(glasser().labels, minlength=361)[1:]
    names = glasser().names[1:]
    return pd.DataFrame(
        {
            "subject": subject,
            "hemisphere": ["left" if name.startswith("L_") else "right" for name in names],
            "region": [name[2:] for name in names],
            "value": means,
            "low": means - 0.04,
            "high": means + 0.04,
            "p": 0.01,
            "q": np.where(np.abs(means) > 0.08, 0.004, 0.6),
            "n_vertices": counts,
            "simulated": True,
        }
    )


def weights_of(subject: str, encoder: str) -> object:
    from pipelines.encoding.delays import Standardiser
    from pipelines.encoding.low_rank import LowRank
    from pipelines.encoding.weights import EncoderWeights

    rng = seed_of("weights", subject, encoder)
    rows = CHANNELS * len(DELAYS_S)
    r = r_map(subject, encoder)[load_surface().cortex]
    right = (rng.standard_normal((RANK, 1)) * r[None]).astype(np.float16)
    left = rng.standard_normal((rows, RANK)).astype(np.float16)
    flat = np.zeros(59412, np.float32)
    low = LowRank(left, right, np.zeros(rows, np.float32), flat, 0.99)
    moments = Standardiser(np.zeros(CHANNELS, np.float32), np.ones(CHANNELS, np.float32))
    return EncoderWeights("energy", moments, DELAYS_S, 2.0, 4.0, low)


def publish(
    store: ResultStore,
    stage: str,
    unit: str,
    facts: dict,
    config: dict,
    tables: dict,
    arrays: dict,
    weights: object = None,
) -> None:
    with store.writing(stage, unit, "fake") as (folder, manifest):
        manifest |= {"facts": facts, "config": config}
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table)
        for name, values in arrays.items():
            write_array(folder / "arrays.zarr", name, values)
        if weights is not None:
            weights.save(Path(folder) / "weights.npz")
    store.point(stage, unit, "fake")


def write_features(store: ResultStore, segments: dict[str, int]) -> None:
    for segment, n in segments.items():
        rng = seed_of("features", segment)
        arrays = {f"{name}.energy": rng.standard_normal((n, CHANNELS)).astype(np.float32) for name in ENCODERS}
        facts = {"layers": {name: ["energy"] for name in ENCODERS}}
        publish(store, "clip_features", f"embedded.{segment}", facts, {"n_clips": n}, {}, arrays)


def write_encoder(store: ResultStore, subject: str, encoder: str, tests: list[str]) -> None:
    r = r_map(subject, encoder)
    maps = {f"r/{encoder}": r, f"r2/{encoder}": r**2, f"alpha/{encoder}": np.where(np.isfinite(r), 100, np.nan)}
    maps |= {f"{kind}/{encoder}": values for kind, values in companions(r, "").items()}
    rows = region_frame(subject, r).rename(columns={"value": "r"}).assign(encoder=encoder, noise_ceiling=0.5)
    mean = float(np.nanmean(r))
    row = {"subject": subject, "encoder": encoder, "mean_r": mean, "low": mean - 0.02, "high": mean + 0.02}
    row |= {"median_r": mean, "n_vertices": 17_000, "n_significant": 6_000, "reliability_above": 0.1}
    row |= {"n_blocks": N_BLOCKS, "minimum_p": 0.001, "layer": "energy", "simulated": True}
    publish(
        store,
        "encoding",
        f"{subject}.{encoder}",
        {"encoder": encoder, "layer": "energy", "maps": list(maps)},
        {"encoder": encoder, "test": tests},
        {"encoding": pd.DataFrame([row]), "regions": rows},
        {f"map.{name}": values.astype(np.float32) for name, values in maps.items()},
        weights_of(subject, encoder),
    )


def write_comparison(store: ResultStore, subject: str) -> None:
    order = ["motion-energy", "gabor-colour", "motion-energy.frozen", "motion-energy.reversed"]
    maps, rows = {}, []
    for a, b in combinations(order, 2):
        value = r_map(subject, a) - r_map(subject, b)
        maps[f"contrast/{a}|{b}"] = value
        maps |= {f"contrast-{kind}/{a}|{b}": values for kind, values in companions(value, "").items()}
        rows.append(region_frame(subject, value).rename(columns={"value": "difference"}).assign(a=a, b=b))
    stacked = np.stack([np.nan_to_num(r_map(subject, name), nan=-1) for name in order])
    maps["best"] = np.where(load_surface().mask, stacked.argmax(0), np.nan)
    publish(
        store,
        "encoding_maps",
        subject,
        {"encoders": order, "maps": list(maps)},
        {},
        {"contrasts": pd.concat(rows, ignore_index=True)},
        {f"map.{name}": values.astype(np.float32) for name, values in maps.items()},
    )


def write_joint(store: ResultStore, subject: str) -> None:
    """Variance partition of the first pair: motion energy adds in `BETTER`, the other in `WORSE`; half the cortex."""
    reliable = load_surface().mask & (load_surface().midthickness[:, 1] < -20)
    pair, turned = "motion-energy|gabor-colour", "gabor-colour|motion-energy"
    shares = {f"unique/{pair}": 0.1 * inside(BETTER), f"unique/{turned}": 0.1 * inside(WORSE)}
    shares[f"shared/{pair}"] = 0.04 * np.ones(len(reliable))
    maps = {name: np.where(reliable, values, np.nan) for name, values in shares.items()}
    maps |= {name.replace("/", "-q/"): np.where(values > 0, 0.01, 0.7) for name, values in maps.items()}
    arrays = {f"map.{name}": values.astype(np.float32) for name, values in maps.items()}
    publish(store, "joint_encoding", f"{subject}.motion-energy_with_gabor-colour", {"maps": list(maps)}, {}, {}, arrays)


def bold_arrays(subject: str, segments: dict[str, int]) -> dict[str, np.ndarray]:
    """What the encoding pages read of the scans: mean of the runs per test film, number of runs, noise ceiling."""
    arrays: dict[str, np.ndarray] = {}
    for segment, n in segments.items():
        if segment.startswith("test"):
            time = np.arange(n)[:, None]
            waves = np.sin(time / 2 + np.arange(59412)[None] / 5000 + int(subject))
            arrays[f"mean.{segment}"] = waves.astype(np.float16)
            arrays[f"runs.{segment}"] = np.zeros((4, n, 1), np.float16)
    return arrays


def ceiling_map() -> np.ndarray:
    y = load_surface().midthickness[:, 1]
    return np.where(load_surface().mask, np.clip(0.6 - 0.006 * (y + 90), 0, 1), np.nan).astype(np.float32)


def write_encoding(store: ResultStore, subjects: list[str], segments: dict[str, int]) -> None:
    """Features, fits and comparisons of all subjects."""
    write_features(store, segments)
    tests = [name for name in segments if name.startswith("test")]
    for subject in subjects:
        for encoder in ENCODERS:
            write_encoder(store, subject, encoder, tests)
        write_comparison(store, subject)
        write_joint(store, subject)
