"""One colour, one marker and one name per system, the same on every page, plot and export.

Colours: Okabe and Ito (2008), told apart by the colour-blind; controls are greys with markers of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from brainviz.imported import END_TO_END, source_of_frames


@dataclass(frozen=True)
class SystemLook:
    """How one system is drawn and named.

    Parameters
    ----------
    label : str
        Short name on axes and panels.
    light, dark : str
        Hex colour on a light and on a dark page.
    marker : str
        Plotly marker symbol; the player draws the same shapes.
    explanation : str
        One sentence on what the system is.
    """

    label: str
    light: str
    dark: str
    marker: str
    explanation: str

    def colour(self, dark: bool = False) -> str:
        return self.dark if dark else self.light


def _control(label: str, marker: str, explanation: str) -> SystemLook:
    return SystemLook(label, "#9aa0a8", "#858b94", marker, explanation)


SYSTEMS: dict[str, SystemLook] = {
    "truth": SystemLook("True flow", "#4d4d4d", "#d0d3d8", "circle", "Optical flow measured on the film itself."),
    "brain": SystemLook(
        "Frame + fMRI", "#0072b2", "#2f9bdc", "circle", "Our decoder: predicted from the true first frame and fMRI."
    ),
    "brain-reference": SystemLook(
        "Frame + fMRI, paper's form",
        "#56b4e9",
        "#56b4e9",
        "square",
        "The decoder in the form of the paper: predicted from the true first frame and fMRI.",
    ),
    "brain-e2e": SystemLook(
        "End to end from fMRI",
        "#009e73",
        "#1bb98c",
        "triangle-up",
        "The first frame is decoded from fMRI; our decoder predicts the flow that moves it from that frame and fMRI. "
        "Nothing of the stimulus enters.",
    ),
    "image-only": SystemLook(
        "Frame alone", "#e69f00", "#e69f00", "diamond", "The same decoder, trained without fMRI: the control to beat."
    ),
    "svd": SystemLook(
        "Stable Video Diffusion", "#d55e00", "#e8742a", "x", "Video generated from the first frame, no fMRI."
    ),
    "prior": SystemLook(
        "Prior",
        "#d55e00",
        "#e8742a",
        "x",
        "Whole flow fields of training clips whose first frame looks alike, no fMRI. Stands in for Stable Video "
        "Diffusion where its weights are missing.",
    ),
    "mind-animator": SystemLook(
        "Mind-Animator", "#cc79a7", "#d78fb8", "hexagon", "Videos that Mind-Animator makes from fMRI."
    ),
    "mind-animator-released": SystemLook(
        "Mind-Animator, released",
        "#dba6c3",
        "#b98aa5",
        "star",
        "Mind-Animator as its released program trains and runs it, faults included.",
    ),
    "shuffled": _control(
        "Frame + shifted fMRI", "square", "Trained on fMRI shifted against the film: should equal the frame alone."
    ),
    "ridge": _control("Ridge", "triangle-up", "Linear regression from fMRI to flow."),
    "mean": _control("Mean flow", "cross", "The average flow of the training clips, for every clip."),
    "zero": _control("Zero flow", "circle", "Nothing moves: its error is the mean speed."),
    "persistence": _control("Persistence", "triangle-down", "The flow of the clip just before."),
    "codebook-oracle": _control("Codebook oracle", "star", "The true flow, rounded to the 40 words of the codebook."),
}

ORDER = list(SYSTEMS)
IMPORTED = ("#8a6fb0", "#a98fd0")  # systems brought in by name that the house does not know


def look(system: str) -> SystemLook:
    """The look of a system; an unknown (imported) one keeps its own name and gets one shared colour."""
    known = SYSTEMS.get(system)
    if known:
        return known
    if source := source_of_frames(system):
        words = (
            f"The first frame is the one that {source} reconstructed from fMRI, and our decoder predicts the flow that "
            "moves it from that frame and fMRI. Nothing of the stimulus enters."
        )
        own = SYSTEMS[END_TO_END]
        return SystemLook(f"{own.label}, frame of {source}", own.light, own.dark, "triangle-down", words)
    light, dark = IMPORTED
    return SystemLook(system, light, dark, "hexagon", f"Imported under the name {system}.")


def ordered(systems: list[str]) -> list[str]:
    """Systems in the order of the palette, imported ones after them by name."""
    rank = {name: i for i, name in enumerate(ORDER)}
    return sorted(systems, key=lambda name: (rank.get(name, len(rank)), name))


def prior_of(systems: list[str]) -> str | None:
    """The system that knows no fMRI and stands in the player: `svd`, else its stand-in `prior`, else None."""
    return next((name for name in ("svd", "prior") if name in systems), None)
