"""Arrays come out of foreign pickles as numpy wrote them; whatever else a pickle asks for is refused and never run."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainviz.data.restricted_pickle import read_arrays
from brainviz.errors import DataProblem


def written(path: Path, content: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


ARRAYS = {
    "float32": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "float64 big-endian": np.linspace(-1, 1, 6).astype(">f8").reshape(3, 2),
    "Fortran order": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "bool": np.eye(3, dtype=bool),
    "int16": np.array([[-5, 300]], np.int16),
    "empty": np.zeros((0, 3), np.float32),
    "no dimension": np.array(2.5),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_every_protocol(kind: str, protocol: int, tmp_path: Path) -> None:
    wanted = ARRAYS[kind]
    found = read_arrays(written(tmp_path / "a.pkl", {"train": wanted, "names": ["V1", 3, 1.5, None, True]}, protocol))
    np.testing.assert_array_equal(found["train"], wanted)
    assert found["train"].dtype == wanted.dtype and found["names"] == ["V1", 3, 1.5, None, True]


def test_scalars_and_what_python_2_wrote(tmp_path: Path) -> None:
    assert read_arrays(written(tmp_path / "s.pkl", [np.float32(1.5), np.int64(-2)])) == [1.5, -2]
    # As numpy of Python 2 pickled an array: its bytes and names are Python-2 strings, read as latin-1.
    text = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85cnumpy\ndtype\n"
        b"U\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08"
        + struct.pack("<2f", 1.5, -2.0)
        + b"tb."
    )
    (tmp_path / "old.pkl").write_bytes(text)
    found = read_arrays(tmp_path / "old.pkl")
    np.testing.assert_array_equal(found, np.array([1.5, -2.0], np.float32))
    np.testing.assert_array_equal(found, pickle.loads(text, encoding="latin1"))


class Runs:
    """Unpickled by calling a function with arguments."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call


def touch(name: str) -> None:
    Path(name).write_text("was here")


def test_a_pickle_that_runs_something_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = written(tmp_path / "bad.pkl", {"train": np.zeros(3), "more": Runs(touch, str(trace))})
    with pytest.raises(DataProblem, match="is refused") as caught:
        read_arrays(path)
    assert not trace.exists() and caught.value.where == str(path) and "unpickle" in caught.value.remedy
    pickle.loads(path.read_bytes())  # the same file under the plain unpickler
    assert trace.exists()


REFUSED: dict[str, bytes] = {
    "os.system": b"cos\nsystem\n(S'true'\ntR.",
    "builtins.eval": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x031+1\x85R.",
    "a name inside numpy": b"cnumpy\nload\n(S'x.npy'\nI00\nI01\ntR.",
    "a name of another numpy class": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nmatrix\n(I0\ntS'b'\ntR.",
    "a persistent id": b"Pelsewhere\n.",
    "an extension code": b"\x82\x01.",
    "text in another encoding": b"c_codecs\nencode\n(Vabc\nVrot13\ntR.",
    "a bare class": b"cnumpy\nndarray\n.",
    "an array without values": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.",
    "a change of the reader": b"cnumpy.core.multiarray\n_reconstruct\n(NS'_name'\nS'x'\ndtb.",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_names_and_forms_that_no_array_needs(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.pkl"
    path.write_bytes(REFUSED[kind])
    with pytest.raises(DataProblem):
        read_arrays(path)


@pytest.mark.parametrize(
    "content",
    [
        np.array([{"a": 1}], dtype=object),
        np.array(["x"]),
        np.zeros(2, "f4,i2"),
        np.ma.zeros(3),
        OrderedDict(a=1),
        {1, 2},
    ],
    ids=["objects", "texts", "records", "masked", "ordered", "set"],
)
def test_arrays_and_containers_of_other_kinds_are_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="is refused"):
        read_arrays(written(tmp_path / "a.pkl", {"train": content}))


def test_damaged_files_say_so(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.pkl", {"train": np.arange(1000.0)}).read_bytes()
    for name, data in {"cut": whole[:4000], "empty": b"", "text": b"hello", "deep": b"(" * 9 + b"." + b"l"}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataProblem, match=r"damaged|no responses") as caught:
            read_arrays(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
    with pytest.raises(DataProblem, match="missing"):
        read_arrays(tmp_path / "nowhere.pkl")
    wrong = whole.replace(struct.pack("<H", 1000), struct.pack("<H", 2000), 1)  # the shape no longer fits the bytes
    (tmp_path / "wrong").write_bytes(wrong)
    with pytest.raises(DataProblem):
        read_arrays(tmp_path / "wrong")
