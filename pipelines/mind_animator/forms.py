"""The two named forms: what the published program does, and what is right."""

from __future__ import annotations

from dataclasses import dataclass

from brainviz.errors import UnknownName


@dataclass(frozen=True)
class Form:
    """How a part is trained and run.

    Attributes
    ----------
    name : `released` or `corrected`.
    augment_in_place : inputs that the augmentation zeroes stay zero in every later epoch. After 31 epochs of the
        semantic decoder 4 % of the fMRI is left, after 60 of the structure decoder nothing.
    causal_inference : a frame sees all frames before it. The released program asks for a random causal mask with a
        keep probability of 0, so every frame after the second sees only the first one.
    whole_window : all volumes of the window are seen: one token each in the motion decoder's cross-attention, side by
        side in the other two. In the released program the fMRI is one volume and one token, so that the softmax over
        it is 1 and every frame receives the same vector.
    scale_test_on_itself : the test fMRI is z-scored over the test clips themselves.
    """

    name: str
    augment_in_place: bool
    causal_inference: bool
    whole_window: bool
    scale_test_on_itself: bool


RELEASED = Form("released", True, False, False, True)
CORRECTED = Form("corrected", False, True, True, False)
FORMS = {form.name: form for form in (RELEASED, CORRECTED)}
DEFAULT = CORRECTED.name

CORRECTIONS = ("augment_in_place", "causal_inference", "whole_window", "scale_test_on_itself")
"""What may be undone one at a time, to see what each correction is worth: `corrected-minus-<correction>`."""


def form_of(name: str) -> Form:
    """A form by name, also `corrected-minus-<correction>`; `UnknownName` where there is none."""
    from dataclasses import replace

    if name in FORMS:
        return FORMS[name]
    base, _, undone = name.partition("-minus-")
    if base == CORRECTED.name and undone in CORRECTIONS:
        return replace(CORRECTED, name=name, **{undone: getattr(RELEASED, undone)})
    known = [*FORMS, *(f"corrected-minus-{correction}" for correction in CORRECTIONS)]
    raise UnknownName(f"There is no form '{name}'.", "Mind-Animator", f"There are: {', '.join(known)}.")
