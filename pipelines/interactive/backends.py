"""What each reanimation backend is and whether it can run here, for pages. Loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BackendFacts:
    """A backend as a page tells it.

    Attributes
    ----------
    id, title, licence : str
    size_gb : float
        Of all its weights.
    missing : str
        Empty where it can run here; else why not and what to do.
    follows_motion : bool
        False for the film without the brain, which takes no motion.
    deterministic : bool
        Whether the seed makes no difference.
    commands : tuple of str
        What fetches its weights.
    """

    id: str
    title: str
    licence: str
    size_gb: float
    missing: str
    follows_motion: bool
    deterministic: bool
    commands: tuple[str, ...]


def available_backends() -> list[BackendFacts]:
    """All backends, `warp` first; those whose weights are not here say so in `missing`."""
    from pipelines.reanimate.registry import BACKENDS, make_backend

    facts = []
    for name, entry in BACKENDS.items():
        one = make_backend(name)
        commands = tuple(f"python -m pipelines weights {weights}" for weights in one.weights)
        facts.append(
            BackendFacts(
                one.id,
                one.title,
                one.licence,
                one.size_gb,
                one.missing(),
                entry.follows_motion,
                one.deterministic,
                commands,
            )
        )
    return facts
