"""Stages of the benchmark: films that the reanimation stage does not have are scored, then all systems compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from brainviz.data.catalogue import clip_name, split_of
from brainviz.imported import END_TO_END
from brainviz.metrics.video.benchmark_names import RETRIEVAL
from brainviz.storage import read_array, read_table
from pipelines.graph import Context
from pipelines.stages.end_to_end import DecodedFilms, MovedFilms
from pipelines.stages.mind_animator import target
from pipelines.stages.scored_clips import ScoredClips

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.evaluate.benchmark_retrieval import Retrieval

WARP = ("warp", "none")


def score_films(context: Context) -> None:
    """Score the films that Mind-Animator decoded, or decoded first frames under the flow that is predicted from them.

    The frames are Mind-Animator's (`brain-e2e`) or those of an imported system (`brain-e2e-` and its name); their
    ``flow`` (clip, 1, 3, 32, 32, 2) is stored for all test clips that have a frame, named in the facts.

    The protocol is that of the stage `reanimation`: same clips, size, times, labeller and networks. Table ``scores``
    (clip, sample, metric, value); of Mind-Animator also ``retrieval`` (metric, gallery, p).
    """
    import pandas as pd

    from pipelines.evaluate.video_embeddings import VideoNetworks
    from pipelines.evaluate.video_scores import score_clip
    from pipelines.flow_labels import make_labeller

    clips = ScoredClips(context)
    labeller = make_labeller(context.config["labeller"], device=context.device)
    networks = VideoNetworks.load(context.config.get("networks", {}), context.device)
    moved = context.config["system"].startswith(END_TO_END)
    films = MovedFilms(context, clips, labeller.max_gap_s) if moved else DecodedFilms.of(context)
    chosen = [row for row in clips.chosen if clips.names[row] in films.rows]
    rows: list[tuple[str, int, str, float]] = []
    for done, row in enumerate(chosen):
        context.progress(0.3 + 0.7 * done / len(chosen), f"{done} of {len(chosen)} clips")
        name = clips.names[row]
        film = films.film(name)
        scores = score_clip(film, clips.truth(row), labeller)
        if networks.any:
            scores |= networks.score(film, clips.seen(row))
        rows += [(name, 0, metric, value) for metric, value in scores.items()]
    table = pd.DataFrame(rows, columns=["clip", "sample", "metric", "value"])
    if isinstance(films, MovedFilms):
        context.array("flow", films.flow[:, None], (1, 1, *films.flow.shape[1:]))
        context.facts["clips"] = films.names
    else:
        found = _retrieval(context)
        context.table("retrieval", _searches(found))
        decoded = context.input("mind_animator").manifest["facts"]["clips"]
        table = pd.concat([table, _hits(decoded, found)], ignore_index=True)
    context.table("scores", table)
    context.facts |= {name: context.config[name] for name in ("system", "size", "labeller")}


def _retrieval(context: Context) -> dict[str, Retrieval]:
    """Both searches of the decoded vectors among the films' own, all test clips of the subject."""
    from pipelines.evaluate.benchmark_retrieval import retrieve

    result, targets = context.input("mind_animator"), context.inputs("mind_animator_targets")
    names = [str(name) for name in context.config["searched"]]
    shown = {film: np.asarray(target(targets, "image", film), np.float32) for film in names}
    rows = {clip: row for row, clip in enumerate(result.manifest["facts"]["clips"])}
    test = {film: v for film, v in shown.items() if split_of(film) == "test" and clip_name(film, 0) in rows}
    vectors = read_array(result.arrays, "vector")
    decoded = {f: vectors[[rows[clip_name(f, i)] for i in range(len(v))]] for f, v in test.items()}
    others = [v for film, v in shown.items() if split_of(film) == "train"]
    return dict(zip(RETRIEVAL, (retrieve(decoded, test), retrieve(decoded, test, others)), strict=True))


def _searches(found: dict[str, Retrieval]) -> pd.DataFrame:
    import pandas as pd

    rows = [(metric, one.gallery, one.p) for metric, one in found.items()]
    return pd.DataFrame(rows, columns=["metric", "gallery", "p"])


def _hits(clips: Sequence[str], found: dict[str, Retrieval]) -> pd.DataFrame:
    """1 where a clip is found, per clip and search."""
    import pandas as pd

    parts = [
        pd.DataFrame({"clip": list(clips), "sample": 0, "metric": metric, "value": one.found.astype(float)})
        for metric, one in found.items()
    ]
    return pd.concat(parts, ignore_index=True)


def compare_systems(context: Context) -> None:
    """Tables `benchmark`, `benchmark_clips`, `benchmark_tests` and `benchmark_absent` of one subject."""
    import pandas as pd

    from pipelines.evaluate.benchmark import Protocol, evaluate_benchmark

    reanimated = read_table(context.input("evaluate_reanimation").folder / "reanimation.parquet")
    backends, masks = reanimated["backend"].astype(str), reanimated["mask"].astype(str)
    own = (backends == WARP[0]) & (masks == WARP[1])
    imported = sorted(set(reanimated.loc[backends == "imported", "system"].astype(str)))
    parts = [reanimated[own | backends.isin(["imported", "svd"])][["clip", "system", "metric", "value"]]]
    galleries: dict[str, int] = {}
    p_chance: dict[tuple[str, str], float] = {}
    for result in context.inputs("benchmark_films").values():
        system = str(result.manifest["facts"]["system"])
        if "first_frames" in result.manifest["config"]:  # its clips are those of the import
            imported.append(system)
        parts.append(read_table(result.folder / "scores.parquet")[["clip", "metric", "value"]].assign(system=system))
        searches = result.folder / "retrieval.parquet"
        rows = read_table(searches) if searches.exists() else pd.DataFrame(columns=["metric", "gallery", "p"])
        for metric, gallery, p in rows[["metric", "gallery", "p"]].itertuples(index=False):
            galleries[metric] = int(gallery)
            p_chance[system, metric] = float(p)
    config = context.config
    rules = Protocol(
        int(config["size"]),
        config["labeller"],
        tuple(imported),
        galleries,
        p_chance,
        config["networks"],
        config["seed"],
    )
    scores = pd.concat([part.astype({"system": str}) for part in parts], ignore_index=True)
    clips = read_table(context.input("catalogue").folder / "clips.parquet")
    context.progress(0.2, "Comparing systems")
    tables = evaluate_benchmark(context.unit, scores, clips, rules)
    for name, table in tables.items():
        context.table(name, table)
    context.facts |= {
        "size": rules.size,
        "labeller": rules.labeller,
        "seed": rules.seed,
        "systems": sorted(set(tables["benchmark"]["system"])),
        "imported": imported,
        "galleries": galleries,
    }
