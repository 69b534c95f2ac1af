"""A small world of films, two layers of features, and BOLD that one layer drives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from pipelines.encoding.encoder import EncoderFit, RidgeSettings, fit_encoder

VERTICES = 60
DRIVEN = 40
SETTINGS = RidgeSettings(alphas=tuple(np.logspace(0, 5, 10)))


@dataclass(frozen=True)
class World:
    """`features`: layer -> film -> clips; `train`, `test`: film -> BOLD, float16. Layer "late" drives the BOLD."""

    features: dict[str, dict[str, np.ndarray]]
    train: dict[str, np.ndarray]
    test: dict[str, np.ndarray]


def world(clips: int = 40, seed: int = 0) -> World:
    """Five training films, two test films; the first 40 of 60 vertices answer 4 to 6 s after a clip's onset."""
    draw = np.random.default_rng(seed)
    films = [*(f"seg{i + 1}" for i in range(5)), "test1", "test2"]
    late = {film: draw.normal(1, 2, size=(clips, 30)).astype(np.float32) for film in films}
    early = {film: draw.normal(size=(clips, 80)).astype(np.float32) for film in films}
    weights = draw.normal(size=(30, VERTICES)) * (np.arange(VERTICES) < DRIVEN)
    bold = {}
    for film, features in late.items():
        drive = features @ weights / 10
        response = drive + np.vstack([drive[1:], drive[-1:]])
        bold[film] = (response + draw.normal(size=response.shape) + 2).astype(np.float16)
    train = {film: bold[film] for film in films if film.startswith("seg")}
    return World({"early": early, "late": late}, train, {film: bold[film] for film in films[5:]})


@cache
def fitted_world() -> tuple[World, EncoderFit, np.ndarray]:
    """The world, its fit, and the full model's predictions of all test rows."""
    made = world()
    predicted = np.full((80, VERTICES), np.nan, dtype=np.float32)

    def keep(columns: slice, values: np.ndarray, measured: np.ndarray) -> None:
        predicted[:, columns] = values
        np.testing.assert_allclose(measured, np.vstack(list(made.test.values()))[:, columns], atol=1e-4)

    fitted = fit_encoder(made.features, made.train, made.test, np.arange(VERTICES), SETTINGS, on_test=keep)
    return made, fitted, predicted
