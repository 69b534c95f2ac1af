"""The interface that every backend has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from brainviz.errors import BrainvizError
from pipelines.reanimate.request import ReanimationRequest, RenderedClip

Progress = Callable[[float, str], None]
Settings = TypeVar("Settings")


class Backend(Protocol):
    """A way to bring a picture to life. All attributes are known without loading anything.

    Attributes
    ----------
    id, title, licence : str
    weights : tuple of str
        Names for `python -m pipelines weights`; empty where none are needed.
    size_gb, memory_gb : float
        Of the weights on disk; at work.
    frames : int
        Films have this many; 0 where the request decides.
    deterministic : bool
        Whether the same request gives the same film whatever the seed.
    """

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def weights(self) -> tuple[str, ...]: ...
    @property
    def size_gb(self) -> float: ...
    @property
    def frames(self) -> int: ...
    @property
    def memory_gb(self) -> float: ...
    @property
    def deterministic(self) -> bool: ...

    def missing(self) -> str:
        """Empty where the backend can run here; else why it cannot and what to do. Loads nothing heavy."""
        ...

    def render(self, request: ReanimationRequest, progress: Progress) -> RenderedClip:
        """The film. `progress` is told the share done and what is going on; what it raises ends the work.

        Raises
        ------
        NotReady
            Where `missing` has something to say.
        BrainvizError
            An option that the backend does not have, or a value it cannot use.
        """
        ...


def settings_from(kind: type[Settings], options: Mapping[str, Any], backend: str) -> Settings:
    """A backend's settings (a dataclass) from a request's options; a name that is no setting is refused."""
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(options) - known)
    if unknown:
        remedy = f"There are: {', '.join(sorted(known))}."
        raise BrainvizError(f"{backend} has no option {', '.join(unknown)}.", "options", remedy)
    return kind(**options)
