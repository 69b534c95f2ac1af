"""Names of reanimation results: units of work and the films in them."""

from __future__ import annotations


def reanimation_unit(owner: str, system: str, backend: str = "warp", mask: str = "none") -> str:
    """Unit of the stage `reanimation`: ``1.brain``; with another backend or mask ``1.brain.dragnuwa.none``."""
    return f"{owner}.{system}" if (backend, mask) == ("warp", "none") else f"{owner}.{system}.{backend}.{mask}"


def render_unit(
    subject: str, clip: str, system: str, backend: str, mask: str = "none", sample: int = 0, seed: int = 0
) -> str:
    """Unit of the stage `render`: one film of one clip."""
    return f"{subject}.{clip}.{system}.{backend}.{mask}.{sample}.{seed}"


def film_name(clip: str, sample: int) -> str:
    """File of one film in a result of the stage `reanimation`."""
    return f"films/{clip}.{sample}.mp4"
