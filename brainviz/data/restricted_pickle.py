"""Arrays out of a pickle that somebody else wrote, without running anything that it names.

A pickle is a program: the plain unpickler imports and calls whatever the file says. This one knows the few names that
numpy arrays are written with and gives its own small stand-ins for them; every other name ends the reading. The arrays
are then built here from dtype, shape and bytes. Python-2 strings are read as latin-1.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from brainviz.errors import DataProblem

_DTYPE = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f[248])")
_CONTAINERS = (dict, list, tuple)
_PLAIN = (str, bytes, int, float, bool, type(None))
_MOST_DEEP = 8
_MOST_BYTES = 16 * 2**30
_REMEDY = "Take the file as distributed by the challenge. Do not open it with anything that unpickles it."


class _Refused(pickle.UnpicklingError):
    """The pickle names something that no array needs."""


class _DType:
    """Stands in for `numpy.dtype`."""

    def __init__(self, code: object, align: object = False, copy: object = False) -> None:
        del align, copy
        text = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(text, str) or not _DTYPE.fullmatch(text):
            raise _Refused(f"values of type {str(text)[:40]!r}")
        self.code, self.order = text.lstrip("<>|="), "="

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        text = order.decode("latin1") if isinstance(order, bytes) else order
        if text not in ("<", ">", "|", "="):
            raise _Refused("a dtype of another kind")
        self.order = str(text)

    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)


class _Array:
    """Stands in for `numpy.ndarray`."""

    def __init__(self, *args: object) -> None:
        del args
        self.values: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _Refused("an array in another form")
        _, shape, dtype, fortran, data = state
        raw = data.encode("latin1") if isinstance(data, str) else data
        self.values = _build(raw, dtype, shape, bool(fortran))


def _build(raw: object, dtype: object, shape: object, fortran: bool) -> np.ndarray:
    if not isinstance(dtype, _DType) or not isinstance(raw, bytes | bytearray):
        raise _Refused("an array that holds no plain numbers")
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("an array without a shape")
    try:
        return np.frombuffer(raw, dtype.dtype()).reshape(shape, order="F" if fortran else "C")
    except ValueError as error:
        raise _Refused("an array whose bytes do not fill its shape") from error


class _Known:
    """Calls a function of this module; unlike the function itself, it cannot be changed by a pickle."""

    __slots__ = ("name",)
    name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    def __setattr__(self, name: str, value: object) -> None:
        raise _Refused("a change of the reader itself")

    def __call__(self, *args: Any) -> Any:
        return _CALLS[self.name](*args)


def _reconstruct(kind: object, *args: object) -> _Array:
    if kind is not _Array:
        raise _Refused("an array of another class")
    return _Array()


def _frombuffer(raw: object, dtype: object, shape: object, order: object = "C", *rest: object) -> _Array:
    """Arrays of pickle protocol 5."""
    del rest
    array = _Array()
    array.values = _build(raw, dtype, shape, order == "F")
    return array


def _scalar(dtype: object, raw: object) -> Any:
    data = raw.encode("latin1") if isinstance(raw, str) else raw
    return _build(data, dtype, (), False)[()]


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """Bytes of Python-3 pickles of protocol 2 and less."""
    if not isinstance(text, str) or encoding != "latin1":
        raise _Refused("an encoding other than latin-1")
    return text.encode("latin1")


def _nothing(*args: object) -> bytes:
    """`bytes()`: how protocols 0 to 2 write no bytes at all."""
    if args:
        raise _Refused("bytes of another form")
    return b""


_CALLS: dict[str, Callable[..., Any]] = {
    "bytes": _nothing,
    "reconstruct": _reconstruct,
    "frombuffer": _frombuffer,
    "scalar": _scalar,
    "encode": _encode,
}


def _names() -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {("numpy", "ndarray"): _Array, ("numpy", "dtype"): _DType}
    for core in ("numpy.core", "numpy._core"):
        found[f"{core}.multiarray", "_reconstruct"] = _Known("reconstruct")
        found[f"{core}.multiarray", "scalar"] = _Known("scalar")
        found[f"{core}.numeric", "_frombuffer"] = _Known("frombuffer")
    found["_codecs", "encode"] = _Known("encode")
    found["__builtin__", "bytes"] = found["builtins", "bytes"] = _Known("bytes")
    return found


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = _names().get((module, name))
        if known is None:
            raise _Refused(f"the name {module[:60]}.{name[:60]}")
        return known

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("an object stored elsewhere")


def read_arrays(path: Path) -> Any:
    """Read numbers, texts, containers and numpy arrays of plain numbers from a pickle.

    Nothing that the file names is imported or called. Arrays are read-only.

    Raises
    ------
    DataProblem
        The file is missing, empty, damaged or too large, or holds anything else; it is then refused as a whole.
    """
    try:
        size = path.stat().st_size
        if not 0 < size <= _MOST_BYTES:
            raise DataProblem(f"A file of {size} bytes holds no responses.", str(path), "Copy or download it again.")
        with path.open("rb") as handle:
            found = _Reader(handle, fix_imports=False, encoding="latin1").load()
        return _finished(found, 0)
    except _Refused as error:
        what = f"The file is refused: it holds {error}, where only arrays of numbers belong."
        raise DataProblem(what, str(path), _REMEDY) from error
    except FileNotFoundError as error:
        raise DataProblem("The file of responses is missing.", str(path), "Put it back in its place.") from error
    except OSError as error:
        raise DataProblem(
            f"The file cannot be read: {error.strerror or error}.", str(path), "Allow reading."
        ) from error
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
    ) as error:
        raise _damaged(path) from error
    except (MemoryError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> DataProblem:
    return DataProblem("The file is damaged, cut short, or no pickle.", str(path), "Copy or download it again.")


def _finished(value: Any, depth: int) -> Any:
    """The value with arrays in place of their stand-ins; only plain things pass."""
    if depth > _MOST_DEEP:
        raise _Refused("containers nested too deep")
    if isinstance(value, _Array):
        if value.values is None:
            raise _Refused("an array without values")
        return value.values
    if isinstance(value, np.generic) or type(value) in _PLAIN:
        return value
    if type(value) is dict:
        return {_key(key): _finished(item, depth + 1) for key, item in value.items()}
    if type(value) in _CONTAINERS:
        return type(value)(_finished(item, depth + 1) for item in value)
    raise _Refused(f"an object of class {type(value).__name__}")


def _key(key: Any) -> Any:
    if type(key) not in _PLAIN:
        raise _Refused("a dictionary with keys of another kind")
    return key
