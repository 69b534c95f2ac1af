import pandas as pd
import pytest

from brainviz.errors import BrainvizError
from pipelines.evaluate.criteria import criteria, mean_errors

GOOD = {"brain": 0.7, "image-only": 1.0, "ridge": 0.75, "brain-reference": 0.72, "shuffled": 1.02}


def motion_of(errors: dict[str, float], subject: str = "1") -> pd.DataFrame:
    rows = []
    for system, error in errors.items():
        for clip, offset in (("test1-0000", -0.1), ("test1-0001", 0.1)):
            for sample, spread in ((0, -0.02), (1, 0.02)):
                rows.append((subject, clip, system, sample, "none", "full", "all", error + offset + spread))
            rows.append((subject, clip, system, 0, "moving", "full", "all", 99.0))
            rows.append((subject, clip, system, 0, "none", "camera", "all", 99.0))
            rows.append((subject, clip, system, 0, "none", "full", "odd", 99.0))
    return pd.DataFrame(rows, columns=["subject", "clip", "system", "sample", "mask", "part", "runs", "epe"])


def comparisons_of(subject: str = "1", **changed: object) -> pd.DataFrame:
    row = {
        "subject": subject, "a": "brain", "b": "image-only", "mask": "none", "part": "full", "runs": "all",
        "measure": "epe", "subset": "all", "difference": -0.3, "low": -0.4, "high": -0.2, "p": 5e-5, "n_blocks": 21,
    }  # fmt: skip
    other = row | {"b": "ridge", "p": 0.9, "low": 1.0, "high": 2.0}
    moving = row | {"mask": "moving", "p": 0.9, "low": 1.0, "high": 2.0}
    return pd.DataFrame([other, moving, row | changed])


def failed(table: pd.DataFrame) -> list[str]:
    return table.loc[~table["passed"], "criterion"].tolist()


def test_samples_are_averaged_within_their_clip():
    assert mean_errors(motion_of(GOOD)) == pytest.approx(GOOD)


def test_a_good_set_passes_every_criterion_in_every_subject():
    motion = pd.concat([motion_of(GOOD, subject) for subject in "123"])
    table = criteria(motion, pd.concat([comparisons_of(subject) for subject in "123"]))
    assert table["passed"].all()
    assert len(table) == 18
    assert set(table["subject"]) == set("123")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"brain": 0.801}, ["brain / image-only", "brain / ridge", "brain / brain-reference"]),
        ({"brain": 0.81, "ridge": 0.9, "brain-reference": 0.9}, ["brain / image-only"]),
        ({"ridge": 0.69}, ["brain / ridge"]),
        ({"brain-reference": 0.69}, ["brain / brain-reference"]),
        ({"shuffled": 1.04}, ["shuffled / image-only"]),
        ({"shuffled": 0.96}, ["shuffled / image-only"]),
    ],
)
def test_each_bound_fails_on_its_own_side(changed, expected):
    assert failed(criteria(motion_of(GOOD | changed), comparisons_of())) == expected


def test_the_bounds_themselves_still_pass():
    even = GOOD | {"brain": 0.8, "ridge": 0.8, "brain-reference": 0.8, "shuffled": 1.03}
    table = criteria(motion_of(even).round(6), comparisons_of())
    assert set(failed(table)) <= {"shuffled / image-only", "brain / image-only"}  # rounding at the very bound
    assert {"brain / ridge", "brain / brain-reference"}.isdisjoint(failed(table))


def test_a_p_that_is_too_large_or_rests_on_too_few_blocks_fails():
    assert failed(criteria(motion_of(GOOD), comparisons_of(p=0.001))) == ["p of brain against image-only"]
    assert failed(criteria(motion_of(GOOD), comparisons_of(n_blocks=19))) == ["blocks behind that p"]


def test_a_missing_system_or_test_fails():
    without = {name: error for name, error in GOOD.items() if name != "ridge"}
    assert failed(criteria(motion_of(without), comparisons_of())) == ["brain / ridge"]
    assert failed(criteria(motion_of(GOOD), comparisons_of(runs="odd"))) == [
        "p of brain against image-only",
        "blocks behind that p",
    ]


@pytest.mark.parametrize("world", ["static", "noise"])
def test_worlds_with_nothing_to_find(world):
    motion = motion_of(GOOD)
    assert criteria(motion, comparisons_of(low=-0.01, high=0.02), world)["passed"].all()
    better = criteria(motion, comparisons_of(low=-0.2, high=-0.1), world)
    assert not better["passed"].any() and "better" in better["bound"].iloc[0]
    worse = criteria(motion, comparisons_of(low=0.1, high=0.2), world)
    assert not worse["passed"].any() and "worse" in worse["bound"].iloc[0]
    assert not criteria(motion, comparisons_of(b="ridge"), world)["passed"].any()


def test_an_interval_that_could_not_be_made_does_not_pass():
    assert not criteria(motion_of(GOOD), comparisons_of(low=float("nan"), high=float("nan")), "noise")["passed"].any()


def test_empty_tables_are_refused():
    with pytest.raises(BrainvizError, match="no subject"):
        criteria(motion_of({}), comparisons_of().iloc[:0])
