"""Stages of Mind-Animator: what its parts are trained on, and the parts trained and the test clips decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainviz.cortex import cortex_to_full
from brainviz.data.catalogue import clip_name, split_of
from brainviz.results import Result
from brainviz.storage import open_array, read_array, read_table
from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Context, Progress
from pipelines.stages.mind_animator_pretrained import chosen_clips, draw_diffusion_films, make_pretrained_targets

if TYPE_CHECKING:
    import zarr

Array = NDArray[np.float32]

FRAMES_PER_CLIP, FPS = 8, 4.0
SIDE = 64
AUTOENCODER_FRAMES = (0, 4)
"""Frames of each training clip that the autoencoder learns from: neighbours look alike."""

SHIFT_S = 60.0
"""By how much the control's test fMRI is shifted against its film, circularly, film by film."""

LATENT_LIMIT = 100.0
"""Stored latents are cut there; those of the training frames have unit variance."""

TARGETS = ("text", "image", "condition", "latents")


def make_targets(context: Context) -> None:
    """A film's frames at 4 Hz (unit: the film), or all that is learnt from them (unit `all`).

    A film: ``frames`` uint8 (clip, 8, 64, 64, 3); with published networks also its targets
    (`mind_animator_pretrained`). All, in their place: ``text.<film>`` and ``image.<film>`` (clip, width), signed
    vectors as pairs of positive and negative parts, ``condition.<film>`` (clip, tokens, width), ``latents.<film>``
    (clip, 8, 4, 8, 8), and the autoencoder, all fitted on the training films.
    """
    if context.unit == SHARED_UNIT:
        _learn_targets(context)
    else:
        _cut_frames(context)


def _cut_frames(context: Context) -> None:
    from brainviz.video.reading import film_info, stream_frames, to_square

    film, n = context.dataset().film(context.unit), context.config["n_clips"]
    info = film_info(film)
    times = 2.0 * np.arange(n)[:, None] + np.arange(FRAMES_PER_CLIP) / FPS
    numbers = np.minimum(np.rint(info.fps * times).astype(int), info.n_frames - 1).ravel()
    position = {int(number): i for i, number in enumerate(np.unique(numbers))}
    seen = np.empty((len(position), SIDE, SIDE, 3), np.uint8)
    for number, pixels in stream_frames(film, list(position)):
        seen[position[number]] = to_square(pixels, SIDE)
        if position[number] % 80 == 0:
            context.progress(position[number] / len(position), f"{position[number]} of {len(position)} frames")
    frames = seen[[position[int(number)] for number in numbers]].reshape(n, FRAMES_PER_CLIP, SIDE, SIDE, 3)
    context.array("frames", frames, (1, *frames.shape[1:]))
    if "networks" in context.config:
        make_pretrained_targets(context, numbers.reshape(n, FRAMES_PER_CLIP))
    context.facts |= {"fps": FPS, "frames_per_clip": FRAMES_PER_CLIP}


def _learn_targets(context: Context) -> None:
    from pipelines.mind_animator.embedded import LABEL, autoencoder, captions, images
    from pipelines.mind_animator.warm_start import rectified

    threads, films = context.config["threads"], list(context.inputs("frame_features"))
    training = [film for film in films if split_of(film) == "train"]
    spoken = read_table(context.input("catalogue").folder / "clips.parquet").set_index("clip")["caption"].fillna("")
    lines = {film: spoken.loc[_clips(context, film)].tolist() for film in films}
    text = captions.CaptionEncoder.fit([line for film in training for line in lines[film]])
    vectors = {film: text.vectors(lines[film]) for film in films}
    conditions = {film: text.conditions(lines[film]) for film in films}
    context.progress(0.1, "First frames")
    pooled = {film: images.pooled(_array(context, "frame_features", film, "features")) for film in films}
    learnt = [np.concatenate([part[film] for film in training]) for part in (pooled, vectors)]
    names = [film for film in training for _ in lines[film]]
    crossed = images.cross_fitted(learnt[0], learnt[1], names)
    image = dict(zip(training, np.split(crossed, np.cumsum([len(lines[f]) for f in training])[:-1]), strict=True))
    viewer = images.ImageEncoder.fit(*learnt)
    image |= {film: viewer.vectors(pooled[film]) for film in films if film not in image}
    pairs = [{film: rectified(part[film]) for film in films} for part in (vectors, image)]
    config = autoencoder.AutoencoderConfig(
        condition=int(np.prod(conditions[films[0]].shape[1:])), seed=context.config["seed"]
    )
    shown = [_array(context, "mind_animator_targets", film, "frames")[:, list(AUTOENCODER_FRAMES)] for film in training]
    given = np.concatenate([conditions[film] for film in training]).repeat(len(AUTOENCODER_FRAMES), axis=0)
    network = autoencoder.train_autoencoder(
        np.concatenate(shown).reshape(-1, SIDE, SIDE, 3), given, config, threads, context.within(0.15, 0.75)
    )
    autoencoder.save_autoencoder(network, config, context.folder / "autoencoder")
    for number, film in enumerate(films):
        frames = _array(context, "mind_animator_targets", film, "frames")
        latents = autoencoder.encode_films(network, frames, threads)
        for name, values in zip(TARGETS, (pairs[0][film], pairs[1][film], conditions[film], latents), strict=True):
            context.array(f"{name}.{film}", values)
        context.progress(0.9 + 0.1 * number / len(films), "Latents")
    context.facts |= {"label": LABEL, "width": int(config.condition), "fps": FPS}


def decode_films(context: Context) -> None:
    """Train a subject's three parts in one form and decode the test clips.

    Stores ``frames`` uint8 (film, 8, s, s, 3), decoded from the test fMRI, of the clips that the facts name as `filmed`
    (all of them with the embedded renderer); ``vector`` (clip, width) in the space of ``text`` and ``image``;
    ``latents`` (clip, 8, 4, h, w); of the corrected form all three also as ``.shifted``, decoded from fMRI that is
    shifted against its film; maps of filters and patterns; the trained parts.
    """
    from pipelines.mind_animator import embedded, pretrained
    from pipelines.mind_animator.config import PARTS, MindAnimatorConfig
    from pipelines.mind_animator.forms import CORRECTED
    from pipelines.mind_animator.training import train

    subject, form = context.unit.split(".", 1)[0], context.config["form"]
    config = MindAnimatorConfig.from_mapping({**context.config["settings"], "device": context.device})
    vertices = _vertices(context.input("bold"), config.vertices)
    training, test = (_scanned(context, context.config[name]) for name in ("training", "test"))
    data = _training_clips(context, training, vertices)
    parts = {}
    for number, part in enumerate(PARTS):
        hears = context.within(0.26 * number, 0.26)
        parts[part] = train(part, data, form, config, context.work, hears)
        parts[part].save(context.folder / part)
    bold = _windows(context, test, vertices)
    clips = [clip for segment in test for clip in _clips(context, segment)]
    filmed = chosen_clips(context, clips) if "generator" in context.config else clips
    rows = [clips.index(clip) for clip in filmed]
    _decode(context, "", parts, bold, rows, context.within(0.78, 0.06))
    if form == CORRECTED.name:  # for the frame-shuffle test
        _decode(context, ".shifted", parts, _shifted(bold, context, test), rows, context.within(0.84, 0.06))
    context.progress(0.9, "Maps")
    _store_maps(context, parts, data, vertices)
    losses = {part: found.facts for part, found in parts.items()}
    context.facts |= {
        "system": "mind-animator" if form == "corrected" else f"mind-animator-{form}",
        "form": form,
        "subject": subject,
        "clips": clips,
        "filmed": filmed,
        "fps": FPS,
        "generator": pretrained.LABEL if "generator" in context.config else embedded.LABEL,
        "shift_s": SHIFT_S,
        "vertices": len(vertices),
        "training": losses,
    }


def _decode(
    context: Context, suffix: str, parts: dict[str, Any], bold: Any, rows: Sequence[int], hears: Progress
) -> None:
    """Decode all clips; films of those at `rows`."""
    vector, condition = parts["semantic"].semantics(bold)
    latents = parts["motion"].latents(bold, parts["structure"].first_latents(bold))
    if "generator" in context.config:
        clips = [clip for film in _scanned(context, context.config["test"]) for clip in _clips(context, film)]
        names = [clips[row] for row in rows]
        frames = draw_diffusion_films(context, suffix, names, latents[rows], condition[rows], hears)
    else:
        from pipelines.mind_animator.embedded.autoencoder import draw_films, load_autoencoder

        network = load_autoencoder(context.input("mind_animator_targets", SHARED_UNIT).folder / "autoencoder")
        frames = draw_films(network, latents[rows], condition[rows], context.config["settings"]["threads"])
    context.array(f"frames{suffix}", frames, (1, *frames.shape[1:]))
    context.array(f"vector{suffix}", vector)
    context.array(
        f"latents{suffix}", np.clip(latents, -LATENT_LIMIT, LATENT_LIMIT).astype(np.float16), (1, *latents.shape[1:])
    )


def _store_maps(context: Context, parts: dict[str, Any], data: Any, vertices: NDArray[np.int64]) -> None:
    """``mind-animator/<part>/filter`` (weight products) and ``.../pattern`` (Haufe), each 0 to 1 over the vertices."""
    from pipelines.mind_animator.projection import min_max

    decoded = {
        "semantic": parts["semantic"].semantics(data.bold, test=False)[0],
        "structure": parts["structure"].first_latents(data.bold, test=False),
    }
    latents = parts["motion"].latents(data.bold, data.latents[:, 0], test=False)
    decoded["motion"] = latents[:, -1] - latents[:, 0]
    names = []
    for part, found in parts.items():
        kinds = {"filter": found.vertex_filter(), "pattern": found.vertex_pattern(data.bold, decoded[part])}
        for kind, values in kinds.items():
            cortex = np.full(open_array(context.input("bold").arrays, "reliability").shape[0], np.nan, np.float32)
            cortex[vertices] = min_max(values)
            names.append(f"mind-animator/{part}/{kind}")
            context.array(f"map.{names[-1]}", cortex_to_full(cortex))
    context.facts["maps"] = names


# ---- gathering what the parts are given


def target(targets: Mapping[str, Result], name: str, film: str) -> zarr.Array:
    """One of `TARGETS` of a film: its own where published networks made it, else from what all films gave."""
    if SHARED_UNIT in targets:
        return open_array(targets[SHARED_UNIT].arrays, f"{name}.{film}")
    return open_array(targets[film].arrays, name)


def _clips(context: Context, film: str) -> list[str]:
    """Clip ids of a film, in order."""
    targets = context.inputs("mind_animator_targets")
    n = (
        open_array(targets[film].arrays, "frames").shape[0]
        if film in targets
        else target(targets, "text", film).shape[0]
    )
    return [clip_name(film, index) for index in range(n)]


def _array(context: Context, stage: str, unit: str, name: str) -> NDArray[Any]:
    return read_array(context.input(stage, unit).arrays, name)


def _scanned(context: Context, films: Sequence[str]) -> list[str]:
    """Films that the subject was scanned with."""
    scanned = context.input("bold").manifest["facts"]["segments"]
    return [film for film in films if film in scanned]


def _vertices(bold: Result, most: int) -> NDArray[np.int64]:
    """The `most` vertices whose training runs agree best.

    By split-half reliability over all training films, which the cleaned scans already hold; `mind_animator.voxels` has
    the published rule (a t-test of run correlations over films), which needs every training run again.
    """
    from pipelines.motion_decoder import choose_vertices

    return choose_vertices(read_array(bold.arrays, "reliability"), threshold=-1.0, most=most)


def _windows(context: Context, films: Sequence[str], vertices: NDArray[np.int64]) -> Any:
    """BOLD windows of the films' clips, 0 to 8 s after onset; test films' runs averaged, not z-scored again."""
    from brainviz.data.timing import PAPER_WINDOW_S, window_volumes
    from pipelines.motion_decoder import BoldWindows

    bold = context.input("bold")
    facts, volumes, indices = bold.manifest["facts"], [], []
    for film in films:
        volumes.append(read_array(bold.arrays, f"mean.{film}")[:, vertices].astype(np.float32))
        onsets = 2.0 * np.arange(len(_clips(context, film)))
        indices.append(window_volumes(onsets, PAPER_WINDOW_S, facts["tr_s"], facts["lag_s"], len(volumes[-1])))
    return BoldWindows.from_segments(volumes, indices)


def _shifted(bold: Any, context: Context, films: Sequence[str]) -> Any:
    """The clips of each film with the windows of others, `SHIFT_S` away (half the film where it is short)."""
    from pipelines.motion_decoder import BoldWindows

    index, start = bold.index.copy(), 0
    for film in films:
        n = len(_clips(context, film))
        by = min(int(SHIFT_S / 2), n // 2)
        index[start : start + n] = np.roll(bold.index[start : start + n], by, axis=0)
        start += n
    return BoldWindows(bold.volumes, index)


def _training_clips(context: Context, films: Sequence[str], vertices: NDArray[np.int64]) -> Any:
    from pipelines.mind_animator.data import TrainingClips

    targets = context.inputs("mind_animator_targets")
    stacked = {
        name: np.concatenate([np.asarray(target(targets, name, film), np.float32) for film in films])
        for name in TARGETS
    }
    segment = np.concatenate([[film] * len(_clips(context, film)) for film in films])
    reliability = read_array(context.input("bold").arrays, "reliability")[vertices]
    return TrainingClips(_windows(context, films, vertices), segment, **stacked, reliability=reliability)
