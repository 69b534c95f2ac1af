"""The plan of one drawn motion rendered on demand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainviz.errors import BrainvizError
from brainviz.flow.drawn import drawing_from_code
from pipelines.graph import Cost, Task

DRAWN = "drawn"
FIELDS = ("clip", "system", "backend", "arrows", "reach", "seed")
_SLOW_SECONDS = 60.0  # of one film of a diffusion backend on a GPU; on a processor it is an hour


def drawn_unit(clip: str, backend: str, arrows: str, reach: float, seed: int) -> str:
    """Unit of the stage `render_drawn`: one film of one drawing."""
    name = hashlib.blake2b(f"{arrows}/{reach:.2f}".encode(), digest_size=8).hexdigest()
    return f"{clip}.{name}.{backend}.{seed}"


def drawn_tasks(workspace: Path, wish: Mapping[str, Any]) -> tuple[Task, ...]:
    """The task that renders a drawing.

    Raises
    ------
    BrainvizError
        Fields that are missing or unknown, an unknown clip or backend, arrows that cannot be read.
    """
    from brainviz import open_workspace
    from pipelines.reanimate.registry import make_backend

    if set(wish) != set(FIELDS):
        raise BrainvizError(f"A drawn rendering needs {', '.join(FIELDS)}.", "render", "Give all of them, no others.")
    opened = open_workspace(workspace)
    opened.place(wish["clip"])
    drawing_from_code(wish["arrows"], wish["reach"])
    backend = make_backend(wish["backend"])
    unit = drawn_unit(wish["clip"], wish["backend"], wish["arrows"], wish["reach"], wish["seed"])
    cost = Cost(_SLOW_SECONDS if backend.weights else 1.0, max(0.5, backend.memory_gb), 0.002)
    return (Task("render_drawn", unit, dict(wish), (), "", opened.simulated, cost),)
