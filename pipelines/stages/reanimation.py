"""Stages that render every test clip's reanimation with one system's flow and score it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.storage import read_table
from pipelines.graph import Context
from pipelines.stages.reanimated_films import films_of
from pipelines.stages.scored_clips import ScoredClips

if TYPE_CHECKING:
    import pandas as pd

CLIPS_AT_ONCE = 20


def keep_reference_frames(context: Context) -> None:
    """A test film's frames at the label times, which reanimations are compared with: ``frames`` (n, 4, s, s, 3)."""
    from brainviz.flow.fields import frame_numbers
    from brainviz.video.reading import film_info, read_frames

    film, n, size = context.dataset().film(context.unit), context.config["n_clips"], context.config["size"]
    info = film_info(film)
    numbers = np.round(2 * np.arange(n) * info.fps).astype(int)[:, None] + frame_numbers(info.fps)
    numbers = np.minimum(numbers, info.n_frames - 1)
    stored = context.new_array("frames", (n, 4, size, size, 3), "uint8", (1, 4, size, size, 3))
    frames = np.empty(stored.shape, np.uint8)
    for start in range(0, n, CLIPS_AT_ONCE):
        part = slice(start, min(start + CLIPS_AT_ONCE, n))
        frames[part] = read_frames(film, numbers[part].ravel(), size).reshape(-1, 4, size, size, 3)
        context.progress(part.stop / n, f"{part.stop} of {n} clips")
    stored[...] = frames
    context.facts["fps"] = float(info.fps)


def reanimate(context: Context) -> None:
    """Films of one system with one backend and mask, and their scores: table ``scores`` (clip, sample, metric, value).

    A slow backend's films stay in the result as ``films/<clip>.<sample>.mp4``; a killed run goes on at the next film.
    """
    from pipelines.evaluate.video_embeddings import VideoNetworks
    from pipelines.evaluate.video_scores import score_clip
    from pipelines.flow_labels import make_labeller

    clips = ScoredClips(context)
    labeller = make_labeller(context.config["labeller"], device=context.device)
    networks = VideoNetworks.load(context.config.get("networks", {}), context.device)
    films = films_of(context, clips, labeller)
    rows: list[dict[str, Any]] = []
    for done, row in enumerate(clips.chosen):
        context.progress(done / len(clips.chosen), f"{done} of {len(clips.chosen)} clips")
        truth = clips.truth(row)
        for sample in range(context.config["samples"]):
            film = films.film(row, sample, truth)
            scores = score_clip(film, truth, labeller)
            if networks.any:
                scores |= networks.score(film, clips.seen(row))
            rows += [{"clip": clips.names[row], "sample": sample, "metric": m, "value": v} for m, v in scores.items()]
    films.publish()
    context.table("scores", _frame(rows))
    context.facts |= {name: context.config[name] for name in ("system", "backend", "mask", "size")}
    context.facts |= {"clips": [clips.names[row] for row in clips.chosen], "provenance": films.provenance}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=["clip", "sample", "metric", "value"])


def evaluate(context: Context) -> None:
    """Tables of one subject: scores of every system's reanimations, their means, their tests."""
    import pandas as pd

    from pipelines.evaluate.reanimation import evaluate_reanimations

    parts = []
    for result in context.inputs("reanimation").values():
        facts = {name: result.manifest["facts"][name] for name in ("system", "backend", "mask")}
        parts.append(read_table(result.folder / "scores.parquet").assign(**facts))
    clips = read_table(context.input("catalogue").folder / "clips.parquet")
    context.progress(0.1, "Comparing systems")
    tables = evaluate_reanimations(context.unit, pd.concat(parts, ignore_index=True), clips)
    for name, table in tables.items():
        context.table(name, table)
