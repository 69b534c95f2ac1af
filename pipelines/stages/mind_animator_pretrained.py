"""Mind-Animator with published networks: targets of one film, and films drawn by the diffusion model.

Both take hours of a GPU: films are kept one by one, and a killed run goes on at the next one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainviz.data.catalogue import clip_name
from brainviz.errors import BrainvizError
from brainviz.storage import open_array, read_table
from pipelines.graph import Context, Progress
from pipelines.stages.scored_clips import sampled_rows

if TYPE_CHECKING:
    from pipelines.mind_animator.generator import DiffusionGenerator
    from pipelines.mind_animator.pretrained import TargetNetworks

FILM_PX = 256
"""Side of the films that are kept; they are drawn at 512."""

CLIPS_AT_ONCE = 4


def make_pretrained_targets(context: Context, numbers: NDArray[np.int64]) -> None:
    """Targets of one film, from frame `numbers` (clip, 8).

    Stores ``text`` and ``image`` (clip, 512), ``condition`` (clip, 19, 768), ``latents`` (clip, 8, 4, 64, 64) as
    float16, and the table ``captions`` (clip, caption, source).
    """
    import pandas as pd

    from brainviz.video.reading import read_frames
    from pipelines.mind_animator.pretrained import BLIP, CLIP, FRAME_PX, GENERATOR, TargetNetworks, make_captioner

    film, places = context.dataset().film(context.unit), context.config["networks"]
    networks = TargetNetworks.load(Path(places[CLIP]), Path(places[GENERATOR]), context.device)
    names = [clip_name(context.unit, index) for index in range(len(numbers))]
    spoken = read_table(context.input("catalogue").folder / "clips.parquet").set_index("clip")["caption"].fillna("")
    lines = [str(line) for line in spoken.loc[names]]
    silent = [index for index, line in enumerate(lines) if not line]
    if silent and BLIP not in places:
        raise BrainvizError(
            f"{len(silent)} of {len(lines)} clips have no caption.",
            context.unit,
            f"Write them into captions.csv, or let BLIP-2 describe them: python -m pipelines weights {BLIP}",
        )
    if silent:
        describe = make_captioner(Path(places[BLIP]), context.device)
        for done, index in enumerate(silent):
            context.progress(0.3 * done / len(silent), f"{done} of {len(silent)} captions")
            lines[index] = describe(read_frames(film, [int(numbers[index, 0])], FRAME_PX))[0]
        del describe  # frees its memory
    source = np.where(np.isin(np.arange(len(lines)), silent), BLIP, "data set")
    context.table("captions", pd.DataFrame({"clip": names, "caption": lines, "source": source}))
    context.array("text", networks.text_vectors(lines))
    context.array("condition", networks.conditions(lines).astype(np.float16))
    _store_pictures(context, networks, film, numbers)


def _store_pictures(context: Context, networks: TargetNetworks, film: Path, numbers: NDArray[np.int64]) -> None:
    from brainviz.video.reading import read_frames
    from pipelines.mind_animator.pretrained import FRAME_PX

    n, frames = numbers.shape
    side = FRAME_PX // 8
    shape = (frames, 4, side, side)
    latents = context.new_array("latents", (n, *shape), "float16", (CLIPS_AT_ONCE, *shape))
    vectors = []
    for start in range(0, n, CLIPS_AT_ONCE):
        part = numbers[start : start + CLIPS_AT_ONCE]
        seen = read_frames(film, part.ravel().tolist(), FRAME_PX)
        vectors.append(networks.image_vectors(seen[::frames]))
        latents[start : start + len(part)] = networks.latents(seen).reshape(len(part), *shape)
        context.progress(0.3 + 0.7 * start / n, f"{start} of {n} clips")
    context.array("image", np.concatenate(vectors))


def chosen_clips(context: Context, clips: list[str]) -> list[str]:
    """The test clips that films are drawn of: every film and speed in proportion, as other slow films are."""
    labels, there = context.inputs("flow_labels"), set(clips)
    lengths = {film: open_array(result.arrays, "flow").shape[0] for film, result in labels.items()}
    names = [clip_name(film, i) for film, n in lengths.items() for i in range(n)]
    chosen = (names[row] for row in sampled_rows(labels, context.config["n_films"]))
    return [name for name in chosen if name in there]


def draw_diffusion_films(
    context: Context,
    suffix: str,
    clips: list[str],
    latents: NDArray[np.float32],
    conditions: NDArray[np.float32],
    hears: Progress,
) -> NDArray[np.uint8]:
    """uint8 (clips, 8, 256, 256, 3) from latents (clips, 8, 4, 64, 64) and conditions (clips, 19, 768)."""
    from pipelines.mind_animator.generator import DiffusionGenerator

    folder = context.work / f"films{suffix}"
    folder.mkdir(exist_ok=True)
    generator: DiffusionGenerator | None = None
    films = []
    for number, clip in enumerate(clips):
        place = folder / f"{clip}.npy"
        if not place.exists():
            if generator is None:
                generator = DiffusionGenerator.load(Path(context.config["generator"]), context.device)
            share, text = number / len(clips), f"{number} of {len(clips)} films"

            def step(fraction: float, _message: str, share: float = share, text: str = text) -> None:
                hears(share + fraction / len(clips), text)

            _keep(place, _small(_drawn(generator, latents[number], conditions[number], number, step)))
        films.append(np.load(place, allow_pickle=False))
    return np.stack(films)


def _drawn(
    generator: DiffusionGenerator, latents: NDArray[np.float32], condition: NDArray[np.float32], seed: int, step: Any
) -> NDArray[np.uint8]:
    import torch

    given = (torch.from_numpy(np.ascontiguousarray(values))[None].float() for values in (latents, condition))
    return np.asarray(generator.films(*given, seed, step)[0])


def _small(film: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return np.stack([cv2.resize(frame, (FILM_PX, FILM_PX), interpolation=cv2.INTER_AREA) for frame in film])


def _keep(place: Path, film: NDArray[np.uint8]) -> None:
    from brainviz.video.writing import replacing

    with replacing(place) as temporary, temporary.open("wb") as stream:
        np.save(stream, film)
