"""Stages of the benchmark: films that the reanimation stage does not have are scored, then all systems compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.data.catalogue import clip_name, split_of
from brainviz.imported import END_TO_END
from brainviz.metrics.video.benchmark_names import RETRIEVAL
from brainviz.results import Result
from brainviz.storage import read_array, read_table
from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Context
from pipelines.stages.reanimation import SCORED_GRID, ScoredClips, imported_films

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.imported import ImportedFilms
    from pipelines.evaluate.benchmark_retrieval import Retrieval
    from pipelines.evaluate.video_scores import TimedFilm

WARP = ("warp", "none")


def score_films(context: Context) -> None:
    """Score the films that Mind-Animator decoded, or first frames that are moved by our decoder's flow.

    The frames are Mind-Animator's (`brain-e2e`) or those of an imported system (`brain-e2e-` and its name).

    The protocol is that of the stage `reanimation`: same clips, size, times, labeller and networks. Table ``scores``
    (clip, sample, metric, value); of Mind-Animator also ``retrieval`` (metric, gallery, p).
    """
    import pandas as pd

    from pipelines.evaluate.video_embeddings import VideoNetworks
    from pipelines.evaluate.video_scores import score_clip
    from pipelines.flow_labels import make_labeller

    clips = ScoredClips(context)
    films = _imported_frames(context) if "first_frames" in context.config else _Films(context)
    labeller = make_labeller(context.config["labeller"], device=context.device)
    networks = VideoNetworks.load(context.config.get("networks", {}), context.device)
    moved = context.config["system"].startswith(END_TO_END)
    decoded = films if isinstance(films, _Films) and not moved else None
    times = _moved_times(context, clips, labeller.max_gap_s) if decoded is None else {}
    chosen = [row for row in clips.chosen if clips.names[row] in films.rows]
    rows: list[tuple[str, int, str, float]] = []
    for done, row in enumerate(chosen):
        context.progress(done / len(chosen), f"{done} of {len(chosen)} clips")
        name, segment = clips.names[row], clips.places[row][0]
        first = films.first_frame(name)
        film = _moved(first, clips, row, times[segment]) if decoded is None else decoded.film(name)
        scores = score_clip(film, clips.truth(row), labeller)
        if networks.any:
            scores |= networks.score(film, clips.seen(row))
        rows += [(name, 0, metric, value) for metric, value in scores.items()]
    table = pd.DataFrame(rows, columns=["clip", "sample", "metric", "value"])
    if decoded is not None:
        found = _retrieval(context, decoded)
        context.table("retrieval", _searches(found))
        table = pd.concat([table, _hits(decoded, found)], ignore_index=True)
    context.table("scores", table)
    context.facts |= {name: context.config[name] for name in ("system", "size", "labeller")}


@dataclass
class _Films:
    """What Mind-Animator decoded for the subject."""

    context: Context

    def __post_init__(self) -> None:
        self.result: Result = self.context.input("mind_animator")
        facts = self.result.manifest["facts"]
        self.rows = {clip: row for row, clip in enumerate(facts["clips"])}
        self.fps = float(facts["fps"])
        self.frames = read_array(self.result.arrays, "frames")

    def film(self, clip: str) -> TimedFilm:
        """As it was decoded."""
        from pipelines.evaluate.video_scores import TimedFilm

        frames = self.frames[self.rows[clip]]
        return TimedFilm(frames, np.arange(len(frames)) / self.fps)

    def first_frame(self, clip: str) -> npt.NDArray[np.uint8]:
        return np.asarray(self.frames[self.rows[clip], 0])


@dataclass
class _ImportedFrames:
    """What another system reconstructed, of which the first frame counts."""

    imported: ImportedFilms
    size: int

    def __post_init__(self) -> None:
        self.rows = {clip: row for row, clip in enumerate(self.imported.clips)}

    def first_frame(self, clip: str) -> npt.NDArray[np.uint8]:
        return self.imported.first_frame(clip, self.size)


def _imported_frames(context: Context) -> _ImportedFrames:
    frames = context.config["first_frames"]
    films = imported_films(context, frames["owner"], frames["system"], frames["films"])
    return _ImportedFrames(films, context.config["size"])


def _moved(first: npt.NDArray[np.uint8], clips: ScoredClips, row: int, times: npt.NDArray[np.float64]) -> TimedFilm:
    """A decoded first frame, moved by our decoder's flow, which was predicted with the true first frame."""
    from pipelines.evaluate.video_scores import TimedFilm
    from pipelines.reanimate.warp import WarpSettings, warp_frames

    settings = WarpSettings(grid=SCORED_GRID)
    return TimedFilm(warp_frames(first, clips.motion(row, 0), times[1:], settings=settings), times)


def _moved_times(context: Context, clips: ScoredClips, max_gap_s: float) -> dict[str, npt.NDArray[np.float64]]:
    """Times at which a film is scored, by film."""
    from pipelines.flow_labels.clips import measured_frames

    return {film: np.unique(np.concatenate(measured_frames(fps, max_gap_s))) / fps for film, fps in clips.fps.items()}


def _retrieval(context: Context, films: _Films) -> dict[str, Retrieval]:
    """Both searches of the decoded vectors among the films' own, all test clips of the subject."""
    from pipelines.evaluate.benchmark_retrieval import retrieve

    targets = context.input("mind_animator_targets", SHARED_UNIT)
    names = [str(name) for name in context.config["searched"]]
    shown = {film: read_array(targets.arrays, f"image.{film}") for film in names}
    test = {film: v for film, v in shown.items() if split_of(film) == "test" and clip_name(film, 0) in films.rows}
    vectors = read_array(films.result.arrays, "vector")
    decoded = {f: vectors[[films.rows[clip_name(f, i)] for i in range(len(v))]] for f, v in test.items()}
    others = [v for film, v in shown.items() if split_of(film) == "train"]
    return dict(zip(RETRIEVAL, (retrieve(decoded, test), retrieve(decoded, test, others)), strict=True))


def _searches(found: dict[str, Retrieval]) -> pd.DataFrame:
    import pandas as pd

    rows = [(metric, one.gallery, one.p) for metric, one in found.items()]
    return pd.DataFrame(rows, columns=["metric", "gallery", "p"])


def _hits(films: _Films, found: dict[str, Retrieval]) -> pd.DataFrame:
    """1 where a clip is found, per clip and search."""
    import pandas as pd

    parts = [
        pd.DataFrame({"clip": list(films.rows), "sample": 0, "metric": metric, "value": one.found.astype(float)})
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
