"""A small result of the stage `leave_out`: a real decoder on a few vertices of four areas, a made-up table."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd

from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import load_surface
from pipelines.leave_out.model import FullModel, Recording
from pipelines.motion_decoder.basis import FlowBasis
from pipelines.motion_decoder.data import BoldWindows

DECODED = {"V1": 60, "MT": 20, "V3A": 20, "V4": 20}
GAINS = {"V1": 0.02, "MT": 0.05, "V3A": 0.004, "V4": -0.003}
MEASURES = ("reliance", "unique", "alone")
WINDOW, SCALE = 3, {"reliance": 0.5, "unique": 1.0, "alone": -4.0}


def leave_out_result(subject: str, truth: dict) -> tuple[dict, dict, dict]:
    """Facts, tables and arrays. `truth`: clip -> flow, validity, mask."""
    clips = {split: [c for c in truth if c.startswith(prefix)] for split, prefix in (("train", "seg"), ("test", "t"))}
    vertices, area = decoded_vertices()
    rng = np.random.default_rng(zlib.crc32(subject.encode()))
    mixing = rng.normal(size=(2, len(vertices)))
    train, test = (windows(np.stack([truth[c][0].mean((0, 1, 2)) for c in clips[s]]), mixing, rng) for s in clips)
    flow, valid = (np.stack([truth[clip][k] for clip in clips["train"]]) for k in (0, 1))
    basis = FlowBasis.fit(flow, valid, 6)
    fold = np.arange(len(flow)) % 2
    model = FullModel.fit(Recording(train, test), basis.project(flow, valid), fold, np.array([0.1, 1.0, 10.0]))
    arrays = {"vertices": vertices, "area": area, "targets": model.targets, "fold": fold, "penalty": model.penalty}
    arrays |= {"dual": model.dual, "values": model.values, "vectors": model.vectors.astype(np.float32)}
    arrays |= {"mean": basis.mean, "components": basis.components}
    for name, bold in (("train", train), ("test", test)):
        arrays |= {f"volumes.{name}": bold.volumes.astype(np.float16), f"index.{name}": bold.index}
    table = table_of(subject)
    for measure in MEASURES:
        arrays[f"map.leave-out-{measure}"] = map_of(table, measure)
    facts = {"maps": [f"leave-out-{measure}" for measure in MEASURES], "clips": clips["test"], "n_patches": 200}
    facts |= {"conditional_penalty": 5.0, "constant": model.constant, "alphas": [0.1, 1.0, 10.0]}
    return facts, {"leave_out": table}, arrays


def decoded_vertices() -> tuple[np.ndarray, np.ndarray]:
    """Cortex indices of the decoded vertices, rising, and their areas."""
    parcellation, cortex = glasser(), load_surface().cortex
    parts = [np.searchsorted(cortex, parcellation.vertices(name)[:n]) for name, n in DECODED.items()]
    parts += [np.searchsorted(cortex, parcellation.vertices(name)[-n:]) for name, n in DECODED.items()]
    areas = [parcellation.areas.index(name) for name in DECODED] * 2
    area = np.concatenate([np.full(len(part), a) for part, a in zip(parts, areas, strict=True)])
    vertices = np.concatenate(parts)
    order = np.argsort(vertices)
    return vertices[order].astype(np.int64), area[order].astype(np.int64)


def windows(motion: np.ndarray, mixing: np.ndarray, rng: np.random.Generator) -> BoldWindows:
    """Activity that follows the clips' mean motion."""
    volumes = np.concatenate([motion, np.zeros((WINDOW - 1, 2))]) @ mixing
    volumes = (volumes + 0.3 * rng.normal(size=volumes.shape)).astype(np.float16).astype(np.float32)
    return BoldWindows(volumes, np.arange(len(motion))[:, None] + np.arange(WINDOW)[None])


def table_of(subject: str) -> pd.DataFrame:
    """Rows of all areas; those not decoded from without a value."""
    rows = []
    for measure in MEASURES:
        for name in glasser().areas:
            row = {"subject": subject, "hemisphere": "both", "region": name, "measure": measure, "simulated": True}
            row |= {"n_vertices": 0, "n_patches": 0, "reason": "no vertex of the region is reliable enough"}
            if name in DECODED:
                value = GAINS[name] * SCALE[measure]
                row |= {"epe_change": value, "low": value - 0.01, "high": value + 0.01, "null": value / 4, "z": 1.0}
                row |= {"p": 0.001 if name == "MT" else 0.4, "q": 0.004 if name == "MT" else 0.5, "reliability": 0.3}
                row |= {"n_vertices": 2 * DECODED[name], "n_patches": 200, "n_clips": 24, "n_blocks": 4, "reason": ""}
            rows.append(row)
    return pd.DataFrame(rows)


def map_of(table: pd.DataFrame, measure: str) -> np.ndarray:
    values = np.full(64984, np.nan, np.float32)
    for name in DECODED:
        row = table[(table["measure"] == measure) & (table["region"] == name)]
        values[glasser().vertices(name)] = row["epe_change"].iloc[0]
    return values
