"""The stage that renders a drawn motion with any backend."""

from __future__ import annotations

from brainviz import open_workspace
from brainviz.errors import BrainvizError
from brainviz.flow.drawn import drawing_from_code
from pipelines.graph import Context


def render_drawn(context: Context) -> None:
    """``film.mp4`` of one clip's first frame moved by a drawing.

    Progress comes with every step of the backend, and a cancelled run stops there.

    Raises
    ------
    BrainvizError
        A backend that takes no motion.
    """
    from brainviz.video.writing import write_mp4
    from pipelines.interactive.drawing import drawn_request_for
    from pipelines.reanimate.registry import BACKENDS, make_backend

    config, workspace = context.config, open_workspace(context.store.path)
    if not BACKENDS[config["backend"]].follows_motion:
        raise BrainvizError(f"{config['backend']} takes no motion.", "backend", "Choose one that does.")
    drawing = drawing_from_code(config["arrows"], config["reach"])
    request = drawn_request_for(workspace, config["clip"], drawing, config["backend"], config["seed"])
    made = make_backend(config["backend"], device=context.device).render(request, context.progress)
    write_mp4(context.folder / "film.mp4", made.frames, made.fps)
    facts = {name: config[name] for name in ("clip", "backend", "arrows", "reach")}
    context.facts["provenance"] = dict(made.provenance) | facts | {"system": "drawn"}
