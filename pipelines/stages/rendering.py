"""The stage that renders one film on demand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brainviz import open_workspace
from brainviz.errors import NotReady
from brainviz.workspace import Workspace
from pipelines.graph import Context

PICTURE_PX = 512


def render(context: Context) -> None:
    """``film.mp4`` of one clip, system, backend, mask, sample and seed, and its scores as the table ``scores``.

    Progress comes with every step of the backend, and a cancelled run stops there.
    """
    from brainviz.video.reading import film_info
    from brainviz.video.writing import write_mp4
    from pipelines.interactive.film_sources import film_objects, flow_source, held_out_error, mask_source
    from pipelines.reanimate.drive import drive
    from pipelines.reanimate.registry import BACKENDS, make_backend
    from pipelines.reanimate.request import ReanimationRequest

    config, workspace = context.config, open_workspace(context.store.path)
    subject, clip, system, mask = (str(config[name]) for name in ("subject", "clip", "system", "mask"))
    sources = flow_source(workspace, subject, clip, system, config["backend"]), mask_source(workspace, clip, mask)
    if sources != (config["flow"], config.get("objects", "")):
        raise NotReady("Its flow or mask was made anew meanwhile.", f"{clip}, {system}", "Start the rendering again.")
    info = film_info(workspace.film(workspace.place(clip).segment))
    motion = None
    if BACKENDS[config["backend"]].follows_motion:
        flow = workspace.flow(subject, clip, system, int(config["sample"]))
        least = held_out_error(workspace, subject, system)
        motion = drive(flow, workspace.step_s, mask, film_objects(workspace, clip, mask), least)
    picture = workspace.first_frame(clip, min(info.width, info.height, PICTURE_PX))
    weights = Path(config["weights"]) if config.get("weights") else None
    backend = make_backend(config["backend"], weights, context.device, config.get("svd", ""))
    made = backend.render(ReanimationRequest(picture, motion, int(config["seed"])), context.progress)
    write_mp4(context.folder / "film.mp4", made.frames, made.fps)
    context.facts["provenance"] = dict(made.provenance) | {
        name: config[name] for name in ("subject", "clip", "system", "mask", "sample", "flow")
    }
    _score(context, workspace, clip)


def _score(context: Context, workspace: Workspace, clip: str) -> None:
    import pandas as pd

    from pipelines.evaluate.clip_truth import clip_truth
    from pipelines.evaluate.video_scores import score_clip
    from pipelines.flow_labels import make_labeller
    from pipelines.stages.reanimated_films import read_timed

    labels = workspace.results.current("flow_labels", workspace.place(clip).segment)
    if labels is None:
        raise NotReady("True flow is not there yet.", clip, "It appears during the run.")
    labeller = make_labeller(labels.manifest["config"]["labeller"], device=context.device)
    scores = score_clip(read_timed(context.folder / "film.mp4"), clip_truth(workspace, clip), labeller)
    context.table("scores", pd.DataFrame({"metric": list(scores), "value": np.array(list(scores.values()))}))
