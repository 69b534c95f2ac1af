"""Draw a subject: what each responsive vertex prefers, how strongly it responds, and how late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.cortex.regions import Parcellation, glasser
from brainviz.cortex.surface import load_surface
from pipelines.simulate import channels
from pipelines.simulate.areas import CLASSES, DRIVES, TRAITS, class_of_vertices
from pipelines.simulate.drive import VELOCITY_GRID
from pipelines.simulate.hrf import PEAK_RANGE_S
from pipelines.simulate.receptive_fields import receptive_fields
from pipelines.simulate.smoothness import smooth_fields
from pipelines.simulate.streams import stream

Float32 = npt.NDArray[np.float32]

FIELD_SIZES = (0.04, 0.08, 0.15, 0.30)
"""Receptive fields are rounded to these sizes and to the 16x16 grid, so that vertices can share their pooling."""
PEAK_STEP_S = 0.25

PATCH_MM = 6.0
"""Length over which preferences agree; direction preference in human MT+ varies over millimetres (Zimmermann 2011)."""
SCATTER = 0.5
"""Spread of a vertex's own preference around its patch's."""
DIRECTIONAL = (0.4, 1.0)
"""Range of the direction-selective part of a motion response, against a part of 1 - x that any motion drives. Single
voxels are only weakly selective (Kamitani & Tong 2006), which blur and noise then bring about."""
RELIABILITY_SPREAD = 0.55
"""Standard deviation of the logit of reliability over patches, and half of it again from vertex to vertex."""
RELIABILITY_LIMITS = (0.02, 0.6)


@dataclass(frozen=True, eq=False)
class Subject:
    """The n responsive vertices of one simulated subject.

    Attributes
    ----------
    vertices : intp (n,)
        Their places in cortex order.
    kind : int8 (n,)
        Index into `areas.CLASSES`.
    fields : float32 (m, 3)
        The distinct receptive fields: right, down, standard deviation, in film widths.
    field_of : intp (n,)
        Which of them each vertex has.
    direction, speed : float32 (n,)
        Preferred direction (radians, clockwise from right on the screen) and speed (film widths per second).
    motion, static, self_motion, unseen : float32 (n, channels)
        Weights of the channels in `pipelines.simulate.channels`.
    light : float32 (n, 4)
        Weights of the film's light, used in the `flicker` world only.
    shares : float32 (n, 4)
        Share of the response's variance from each of `areas.DRIVES`.
    reliability : float32 (n,)
        Wanted correlation of two single runs.
    peak_s : float32 (n,)
        Time to peak of the haemodynamic response.
    """

    vertices: npt.NDArray[np.intp]
    kind: npt.NDArray[np.int8]
    fields: Float32
    field_of: npt.NDArray[np.intp]
    direction: Float32
    speed: Float32
    motion: Float32
    static: Float32
    self_motion: Float32
    unseen: Float32
    light: Float32
    shares: Float32
    reliability: Float32
    peak_s: Float32


def draw_subject(seed: int, subject: str) -> Subject:
    """Draw a subject's cortex; equal arguments give an equal cortex in every world."""
    surface, parcellation = load_surface(), glasser()
    every_kind = class_of_vertices(parcellation)
    vertices = np.flatnonzero(every_kind)
    kind = every_kind[vertices]
    where = surface.midthickness[surface.cortex[vertices]]
    fields, field_of = _shared_fields(receptive_fields(stream(seed, "fields", subject))[vertices])
    rng = stream(seed, "tuning", subject)
    direction, speed, motion = _motion_tuning(where, rng)
    return Subject(
        vertices=vertices,
        kind=kind,
        fields=fields,
        field_of=field_of,
        direction=direction,
        speed=speed,
        motion=motion,
        static=_static_weights(where, kind, rng),
        self_motion=_patchy(where, channels.N_SELF, rng),
        unseen=_patchy(where, channels.N_UNSEEN, rng),
        light=_patchy(where, 4, rng),
        shares=_shares(kind, where, rng),
        reliability=_reliability(kind, where, rng),
        peak_s=_peaks(parcellation, vertices, kind, stream(seed, "peaks", subject)),
    )


def _shared_fields(fields: Float32) -> tuple[Float32, npt.NDArray[np.intp]]:
    """Round fields to the grid and the few sizes; the distinct ones, and which each vertex has."""
    cell = np.clip((fields[:, :2] * VELOCITY_GRID).astype(int), 0, VELOCITY_GRID - 1)
    sizes = np.array(FIELD_SIZES, np.float32)
    size = np.abs(np.log(fields[:, 2:] / sizes)).argmin(1)
    key = (size * VELOCITY_GRID + cell[:, 1]) * VELOCITY_GRID + cell[:, 0]
    distinct, field_of = np.unique(key, return_inverse=True)
    right = (distinct % VELOCITY_GRID + 0.5) / VELOCITY_GRID
    down = (distinct // VELOCITY_GRID % VELOCITY_GRID + 0.5) / VELOCITY_GRID
    table = np.stack([right, down, sizes[distinct // VELOCITY_GRID**2]], 1).astype(np.float32)
    return table, field_of.astype(np.intp)


def _patchy(where: Float32, n: int, rng: np.random.Generator) -> Float32:
    """Random weights (v, n): shared within a patch, scattered from vertex to vertex."""
    own = rng.standard_normal((len(where), n)).astype(np.float32)
    return smooth_fields(where, PATCH_MM, n, rng) + SCATTER * own


def _motion_tuning(where: Float32, rng: np.random.Generator) -> tuple[Float32, Float32, Float32]:
    """Preferred direction and speed, and the weights of the 32 motion channels."""
    pointing = _patchy(where, 2, rng)
    direction = np.arctan2(pointing[:, 1], pointing[:, 0])
    log_speeds = np.log(np.array(channels.SPEEDS))
    log_speed = np.clip(log_speeds.mean() + 0.9 * _patchy(where, 1, rng)[:, 0], log_speeds[0], log_speeds[-1])
    selective = rng.uniform(*DIRECTIONAL, len(where))
    preferred = np.arange(channels.N_DIRECTIONS) * (2 * np.pi / channels.N_DIRECTIONS)
    tuned = np.exp(channels.DIRECTION_CONCENTRATION * (np.cos(preferred - direction[:, None]) - 1))
    tuned -= tuned.mean(1, keepdims=True)
    by_direction = selective[:, None] * tuned / tuned.max(1, keepdims=True) + (1 - selective[:, None])
    by_speed = np.exp(-0.5 * ((log_speeds - log_speed[:, None]) / 0.8) ** 2)
    weights = (by_direction[:, :, None] * by_speed[:, None, :]).reshape(len(where), channels.N_MOTION)
    return direction.astype(np.float32), np.exp(log_speed).astype(np.float32), weights.astype(np.float32)


def _static_weights(where: Float32, kind: npt.NDArray[np.int8], rng: np.random.Generator) -> Float32:
    """Weights of contrast (always positive, strongest in early areas) and of the random form features."""
    weights = np.empty((len(where), channels.N_STATIC), np.float32)
    gain = np.where(kind == CLASSES.index("early"), 1.0, 0.4)
    weights[:, 0] = gain * rng.uniform(0.5, 1.5, len(where))
    weights[:, 1:] = 0.5 * _patchy(where, channels.N_RANDOM, rng)
    return weights


def _shares(kind: npt.NDArray[np.int8], where: Float32, rng: np.random.Generator) -> Float32:
    """Shares of each kind of drive: the class's, varied smoothly over the cortex; rows sum to 1."""
    table = np.zeros((len(CLASSES), len(DRIVES)))
    for number, name in enumerate(CLASSES):
        if name in TRAITS:
            table[number] = TRAITS[name].shares
    varied = table[kind] * np.exp(0.3 * smooth_fields(where, 12.0, len(DRIVES), rng))
    shares: Float32 = (varied / varied.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _reliability(kind: npt.NDArray[np.int8], where: Float32, rng: np.random.Generator) -> Float32:
    """Wanted single-run reliability: the class's median on a logit scale, varied over patches and vertices."""
    medians = np.array([TRAITS[name].reliability if name in TRAITS else 0.5 for name in CLASSES])
    field = smooth_fields(where, 10.0, 1, rng)[:, 0] + 0.5 * rng.standard_normal(len(where))
    logit = np.log(medians / (1 - medians))[kind] + RELIABILITY_SPREAD * field
    return np.clip(1 / (1 + np.exp(-logit)), *RELIABILITY_LIMITS).astype(np.float32)


def _peaks(
    parcellation: Parcellation, vertices: npt.NDArray[np.intp], kind: npt.NDArray[np.int8], rng: np.random.Generator
) -> Float32:
    """Time to peak per region: uniform in its class's range, shifted by the subject, in steps of a quarter second."""
    shift = rng.normal(0, 0.25)
    draw = rng.uniform(0, 1, len(parcellation.names))
    low, high = (np.array([TRAITS[name].peak_s[k] if name in TRAITS else 5.0 for name in CLASSES]) for k in (0, 1))
    peak = low[kind] + (high - low)[kind] * draw[parcellation.cortex_labels[vertices]] + shift
    return np.clip(np.round(peak / PEAK_STEP_S) * PEAK_STEP_S, *PEAK_RANGE_S).astype(np.float32)
