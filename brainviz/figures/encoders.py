"""One colour, one marker and one name per encoder, the same on every plot, map and export.

Colours are those of Okabe and Ito (2008), one per family; members of a family differ by marker and hatch. Encoders keep
the names of what they are: the embedded ones are filters, no trained networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FAMILIES = {  # family -> name, colour on a light and on a dark page
    "moving": ("Filters that see motion", "#0072b2", "#2f9bdc"),
    "still": ("Filters on single frames", "#e69f00", "#e69f00"),
    "video": ("Video encoders", "#0072b2", "#2f9bdc"),
    "static": ("Image encoders", "#e69f00", "#e69f00"),
    "embodied": ("Embodied encoders", "#009e73", "#1bb98c"),
    "frozen": ("Controls on the frozen first frame", "#56b4e9", "#56b4e9"),
    "reversed": ("Controls on the reversed clip", "#cc79a7", "#d78fb8"),
    "other": ("Other encoders", "#8a6fb0", "#a98fd0"),
}
MARKERS = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down", "hexagon", "star", "x", "pentagon")
HATCHES = ("", "/", ".", "\\", "x", "|", "-", "+")
CONTROLS = {"frozen": "frozen first frame", "reversed": "reversed"}
ALL_FRAMES = "all-frames"

# id -> label, family, explanation; in the order of figures, moving encoders first
_KNOWN: dict[str, tuple[str, str, str]] = {
    "motion-energy": (
        "Motion energy",
        "moving",
        "Filters for direction, speed and scale of motion; built in, nothing was trained.",
    ),
    "gabor-colour": (
        "Gabor and colour",
        "still",
        "Filters for edges and colours of single frames; built in, nothing was trained.",
    ),
    "videomae-large": ("VideoMAE Large", "video", "A transformer trained to fill in hidden parts of videos."),
    "videomae-base": ("VideoMAE Base", "video", "A transformer trained to fill in hidden parts of videos."),
    "hiera-huge": ("Hiera Huge", "video", "A hierarchical transformer trained to fill in hidden parts of videos."),
    "hiera-base-plus": (
        "Hiera Base+",
        "video",
        "A hierarchical transformer trained to fill in hidden parts of videos.",
    ),
    "x-clip": ("X-CLIP", "video", "Trained to match videos with their descriptions."),
    "v-jepa-2": ("V-JEPA 2", "video", "Trained to predict hidden parts of videos in its own features."),
    "clip-convnext": ("CLIP ConvNeXt", "static", "A convolutional network trained to match images with captions."),
    "clip": ("CLIP", "static", "A transformer trained to match images with captions."),
    "dinov3": ("DINOv3", "static", "Trained on images without labels."),
    "dinov2": ("DINOv2", "static", "Trained on images without labels."),
    "dino": ("DINO", "static", "Trained on images without labels."),
    "siglip-2": ("SigLIP 2", "static", "Trained to match images with captions."),
    "resnet50": ("ResNet50", "static", "A convolutional network trained to name objects."),
    "vc-1": ("VC-1", "embodied", "Trained on film of everyday handling, seen from the actor."),
    "vip": ("VIP", "embodied", "Trained on film of hands, for robots."),
    "r3m": ("R3M", "embodied", "Trained on film of hands, for robots."),
}
MOVING = ("moving", "video")
STILL = ("still", "static", "embodied")


@dataclass(frozen=True)
class EncoderLook:
    """How one encoder is drawn and named.

    Parameters
    ----------
    id, label : str
        Name in results, name on axes.
    family : str
        A key of `FAMILIES`.
    light, dark : str
        Hex colour on a light and on a dark page.
    marker, hatch : str
        Plotly marker symbol; plotly pattern shape of bars.
    explanation : str
        One sentence on what the encoder is.
    """

    id: str
    label: str
    family: str
    light: str
    dark: str
    marker: str
    hatch: str
    explanation: str

    def colour(self, dark: bool = False) -> str:
        return self.dark if dark else self.light


def encoder_look(encoder: str) -> EncoderLook:
    """The look of an encoder; a control carries its base's name, an unknown one its own."""
    base, _, variant = encoder.partition(".")
    label, family, words = _KNOWN.get(base, (encoder if not variant else base, "other", f"The encoder {base}."))
    if variant in CONTROLS:
        family, label = variant, f"{label}, {CONTROLS[variant]}"
        words = {
            "frozen": f"{words} Here it sees each clip's first frame, standing still.",
            "reversed": f"{words} Here it sees each clip played backwards.",
        }[variant]
    elif variant:
        label = f"{label}, {variant.replace('-', ' ')}"
        words = f"{words} The mean over the frames of a clip." if variant == ALL_FRAMES else words
    _, light, dark = FAMILIES[family]
    place = _place_in_family(base, family, variant)
    return EncoderLook(
        encoder, label, family, light, dark, MARKERS[place % len(MARKERS)], HATCHES[place % len(HATCHES)], words
    )


def _place_in_family(base: str, family: str, variant: str) -> int:
    if family in CONTROLS:
        return 2 if family == "frozen" else 3
    members = [name for name, (_, own, _) in _KNOWN.items() if own == family]
    start = {"still": 1, "static": 1, "embodied": 3}.get(family, 0)
    place = members.index(base) if base in members else 0
    return start + place + (len(members) if variant == ALL_FRAMES else 0)


def ordered_encoders(encoders: Sequence[str]) -> list[str]:
    """Encoders in the order of figures: known ones first, each followed by its variants."""
    rank = {name: i for i, name in enumerate(_KNOWN)}
    return sorted(encoders, key=lambda name: (_is_control(name), rank.get(name.split(".")[0], len(rank)), name))


def usual_pair(encoders: Sequence[str]) -> tuple[str, str]:
    """The pair to show if nobody asks: the first encoder that sees motion, and the first that does not.

    Where one kind is missing, the first two encoders; with a single encoder, that one twice.
    """
    order = ordered_encoders(encoders)
    first = next((name for name in order if encoder_look(name).family in MOVING), order[0])
    rest = [name for name in order if name != first] or [first]
    return first, next((name for name in rest if encoder_look(name).family in STILL), rest[0])


def classes_of(encoders: Sequence[str], dark: bool = False) -> tuple[list[int], tuple[tuple[str, str], ...]]:
    """Classes of a map that names an encoder per vertex: one per colour, so that no two classes look alike.

    Returns
    -------
    class of each encoder, and (label, colour) of each class; encoders that share a colour share a class under the
    name of their family.
    """
    looks = [encoder_look(name) for name in encoders]
    colours = list(dict.fromkeys(look.colour(dark) for look in looks))
    members = [[look for look in looks if look.colour(dark) == colour] for colour in colours]
    labels = [group[0].label if len(group) == 1 else FAMILIES[group[0].family][0] for group in members]
    classes = tuple((label, colour) for label, colour in zip(labels, colours, strict=True))
    return [colours.index(look.colour(dark)) for look in looks], classes


def _is_control(encoder: str) -> bool:
    return encoder.partition(".")[2] in CONTROLS
