"""Drawn motion: the interpolation against SciPy's, and the letters of a link."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from brainviz.flow.drawn import RIDGE, Drawing, arrows_of_motion, drawing_from_code, drawn_grid, drawn_motion

ARROWS = ((0.2, 0.3, 0.1, -0.05), (0.7, 0.6, -0.2, 0.15), (0.5, 0.9, 0.0, 0.0))


def test_interpolation_is_that_of_scipy_where_it_is_not_held_back() -> None:
    from scipy.interpolate import RBFInterpolator

    drawing = Drawing(ARROWS, 0.2)
    arrows = np.array(ARROWS)
    places = np.random.default_rng(0).uniform(0, 1, (400, 2))
    other = RBFInterpolator(
        arrows[:, :2], arrows[:, 2:], kernel="gaussian", epsilon=1 / (np.sqrt(2) * 0.2), smoothing=RIDGE, degree=-1
    )(places)
    found = drawn_motion(drawing, places)
    free = np.linalg.norm(other, axis=-1) <= 0.25
    assert free.sum() > 300
    assert found[free] == pytest.approx(other[free], abs=1e-9)
    assert np.linalg.norm(found, axis=-1).max() <= 0.25 + 1e-9


def test_arrows_and_pins_hold_at_their_own_places() -> None:
    drawing = Drawing(ARROWS, 0.2)
    found = drawn_motion(drawing, [arrow[:2] for arrow in ARROWS])
    assert found == pytest.approx(np.array(ARROWS)[:, 2:], abs=2e-3)


def test_no_arrow_no_motion() -> None:
    assert not drawn_grid(Drawing()).any()
    assert drawn_grid(Drawing()).shape == (32, 32, 2)


def test_a_steady_motion_is_drawn_again_from_its_own_arrows() -> None:
    y, x = (np.mgrid[:32, :32] + 0.5) / 32
    zoom = 0.2 * np.stack([x - 0.5, y - 0.5], axis=-1)
    again = drawn_grid(arrows_of_motion(zoom))
    inner = (slice(4, 28), slice(4, 28))
    assert np.abs(again[inner] - zoom[inner]).max() < 0.02


@pytest.mark.parametrize("arrows", [(), ARROWS, ((0.0, 1.0, -1.0, 1.0),)])
def test_letters_of_a_link_bring_the_arrows_back(arrows) -> None:
    code = Drawing(arrows).code()
    assert len(code) == 8 * len(arrows)
    again = drawing_from_code(code)
    assert np.array(again.arrows) == pytest.approx(np.array(arrows), abs=0.5 / 2047 + 1e-12)
    assert again.code() == code


def test_a_pin_stays_a_pin() -> None:
    assert drawing_from_code(Drawing(((0.31, 0.77, 0.0, 0.0),)).code()).arrows[0][2:] == (0.0, 0.0)


@pytest.mark.parametrize("code", ["A", "AAAAAAAA", "pmwAoAcz" * 25, "pmwAoAc!", "pmwAoAcz\n", "../../etc", "ÄÄÄÄÄÄÄÄ"])
def test_letters_that_no_drawing_gives_are_refused(code: str) -> None:
    with pytest.raises(BrainvizError):
        drawing_from_code(code)


@pytest.mark.parametrize(
    ("arrows", "reach"),
    [(((0.5, 0.5, 1.2, 0.0),), 0.2), (((-0.1, 0.5, 0.0, 0.0),), 0.2), (((np.nan, 0.5, 0, 0),), 0.2), ((), 2.0)],
)
def test_arrows_out_of_range_are_refused(arrows, reach) -> None:
    with pytest.raises(BrainvizError):
        Drawing(arrows, reach)
