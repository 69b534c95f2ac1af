"""The film's plan: repeatable, complete, with balanced cases and materials kept apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from brainviz.errors import BrainvizError, DataProblem
from pipelines.simulate import materials
from pipelines.simulate.cases import CONTINUATIONS
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.film import captions_csv, plan_film
from pipelines.simulate.plan import FilmPlan, Shot


@pytest.fixture(scope="module")
def demo() -> FilmPlan:
    return plan_film(SimulationConfig(seed=3))


def test_a_seed_repeats_the_plan_and_another_seed_does_not(demo: FilmPlan) -> None:
    assert plan_film(SimulationConfig(seed=3)) == demo
    assert plan_film(SimulationConfig(seed=4)).segments != demo.segments


def test_json_keeps_every_parameter_and_stays_small(demo: FilmPlan) -> None:
    text = demo.to_json()
    assert FilmPlan.from_json(text) == demo
    assert len(text) < 1_000_000


@pytest.mark.parametrize("text", ["{}", "[]", "not json", '{"format":"brainviz-scenes","version":2}'])
def test_foreign_scene_files_are_refused(text: str) -> None:
    with pytest.raises(DataProblem):
        FilmPlan.from_json(text)


def test_shots_fill_every_segment_without_gap(demo: FilmPlan) -> None:
    for name, clips in demo.config.segments.items():
        shots = demo.shots(name)
        assert shots[0].onset_frame == 0
        assert shots[-1].end_frame == clips * 2 * demo.config.fps
        assert all(before.end_frame == after.onset_frame for before, after in pairwise(shots))
        lengths = [shot.n_frames / demo.config.fps for shot in shots]
        if name in demo.config.test_segments:
            assert set(lengths) <= {4.0, 6.0}
            assert all(shot.onset_frame % (2 * demo.config.fps) == 0 for shot in shots)
        else:
            assert min(lengths) >= 8
            assert max(lengths) <= 20


def _cases(plan: FilmPlan) -> list[tuple[str, Shot]]:
    return [(name, shot) for name, shots in plan.segments.items() for shot in shots if shot.case]


def test_cases_are_balanced_and_only_in_test_segments(demo: FilmPlan) -> None:
    found = _cases(demo)
    assert {name for name, _ in found} == set(demo.config.test_segments)
    for case, names in CONTINUATIONS.items():
        counts = [sum(shot.case == case and shot.continuation == name for _, shot in found) for name in names]
        assert counts[0] == counts[1]
        assert sum(counts) >= 20


def test_pairs_share_their_first_frame_but_not_their_segment(demo: FilmPlan) -> None:
    pairs: dict[int, list[tuple[str, Shot]]] = {}
    for name, shot in _cases(demo):
        pairs.setdefault(shot.pair, []).append((name, shot))
    for (one_segment, one), (other_segment, other) in pairs.values():
        assert one_segment != other_segment
        assert (one.back, one.front, one.grade) == (other.back, other.front, other.grade)
        still = [(thing.kind, thing.start, thing.size, thing.phase, thing.facing) for thing in one.things]
        assert still == [(thing.kind, thing.start, thing.size, thing.phase, thing.facing) for thing in other.things]
        assert (one.camera, one.things) != (other.camera, other.things)


def test_areas_of_training_and_test_do_not_overlap() -> None:
    for name, (left, top, right, bottom) in materials.TRAINING.values():
        for other, (left2, top2, right2, bottom2) in materials.TEST.values():
            apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
            assert name != other or apart


def test_every_area_lies_in_its_photograph() -> None:
    for name, (left, top, right, bottom) in [*materials.TRAINING.values(), *materials.TEST.values()]:
        height, width = materials.photograph(name).shape[:2]
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def _materials_of(plan: FilmPlan, segments: tuple[str, ...]) -> tuple[set[str], set[int]]:
    named, seeds = set(), set()
    for segment in segments:
        for shot in plan.shots(segment):
            for layer in [*shot.back, *shot.front, *shot.things]:
                named |= {word for word in layer.variant.split(":") if word in materials.TRAINING | materials.TEST}
            seeds |= {layer.seed for layer in [*shot.back, *shot.front] if layer.kind != "photo"}
    return named, seeds


def test_no_shot_uses_material_of_the_other_split(demo: FilmPlan) -> None:
    training, training_seeds = _materials_of(demo, demo.config.training_segments)
    test, test_seeds = _materials_of(demo, demo.config.test_segments)
    assert training <= set(materials.TRAINING)
    assert test <= set(materials.TEST)
    assert not training_seeds & test_seeds


def test_case_things_are_in_no_other_shot(demo: FilmPlan) -> None:
    ordinary = {
        (thing.kind, thing.variant.split(":")[0])
        for shots in demo.segments.values()
        for shot in shots
        if not shot.case
        for thing in shot.things
    }
    cases = {(thing.kind, thing.variant.split(":")[0]) for _, shot in _cases(demo) for thing in shot.things}
    assert ("bird", "eagle") in cases
    assert {kind for kind, _ in cases} == {"bird", "carrier", "tower"}
    assert not {pair for pair in ordinary if pair == ("bird", "eagle") or pair[0] in ("carrier", "tower")}


def test_flicker_world_only_adds_flicker() -> None:
    plain = plan_film(SimulationConfig(size="tiny"))
    flickering = plan_film(SimulationConfig(size="tiny", world="flicker"))
    assert not any(shot.flicker for shots in plain.segments.values() for shot in shots)
    assert all(shot.flicker for shots in flickering.segments.values() for shot in shots)
    assert plan_film(SimulationConfig(size="tiny", world="static")).segments == plain.segments


def test_captions_have_a_row_per_shot(demo: FilmPlan) -> None:
    import csv
    import io

    rows = list(csv.DictReader(io.StringIO(captions_csv(demo))))
    assert len(rows) == sum(len(shots) for shots in demo.segments.values())
    assert all(row["caption"].endswith(".") for row in rows)
    ends = {row["segment"]: float(row["offset_s"]) for row in rows}
    assert ends == {name: demo.config.duration_s(name) for name in demo.config.segments}


def test_training_motion_has_many_directions(demo: FilmPlan) -> None:
    headings = [
        np.arctan2(rate[1], rate[0])
        for name in demo.config.training_segments
        for shot in demo.shots(name)
        for rate in shot.camera.rates
        if np.hypot(rate[0], rate[1]) > 0.02
    ]
    counts, _ = np.histogram(headings, 8, (-np.pi - np.pi / 8, np.pi - np.pi / 8))
    assert len(headings) > 150
    assert counts.min() >= 4


@pytest.mark.parametrize("values", [{"size": "huge"}, {"world": "inner"}, {"seed": -1}, {"colour": 3}])
def test_config_refuses_nonsense(values: dict) -> None:
    with pytest.raises(BrainvizError):
        SimulationConfig.from_dict(values)


def test_config_round_trip() -> None:
    config = SimulationConfig(7, "tiny", "noise")
    assert SimulationConfig.from_dict(config.to_dict()) == config
    assert config.extra_volumes("seg1") == config.extra_volumes("test1") == 5
    assert config.extra_volumes("test2") == 6
