"""Whether files have changed, told from a part of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from brainviz.errors import DataProblem
from brainviz.video.parts import film_files

_MEGABYTE = 1 << 20


def fingerprint_files(files: Iterable[tuple[str, Path]], extra: str = "") -> str:
    """16 hexadecimal digits of named files: names, sizes, and the first, middle and last MB of each.

    Names go in, folders do not: a data set that moves keeps its fingerprint. A file that cannot be read counts by its
    name alone. A film that is no whole file (`brainviz.video.parts`) counts by the files it is read from.
    """
    digest = hashlib.blake2b(extra.encode(), digest_size=8)
    for name, path in sorted(files):
        digest.update(f"\0{name}\0".encode())
        try:
            for file in film_files(path):
                state = file.stat()
                digest.update(_file_digest(str(file), state.st_size, state.st_mtime_ns))
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()


@lru_cache(maxsize=4096)
def _file_digest(name: str, size: int, changed_ns: int) -> bytes:
    del changed_ns  # part of the cache's key only: a touched file is read again, and found unchanged
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with Path(name).open("rb") as handle:
        if size <= 3 * _MEGABYTE:
            digest.update(handle.read())
        else:
            for position in (0, (size - _MEGABYTE) // 2, size - _MEGABYTE):
                handle.seek(position)
                digest.update(handle.read(_MEGABYTE))
    return digest.digest()


def same_content(first: Path, second: Path) -> bool:
    """Whether two files hold the same bytes, read block by block; raises `DataProblem` where one cannot be read."""
    try:
        if first.stat().st_size != second.stat().st_size:
            return False
        with first.open("rb") as a, second.open("rb") as b:
            while block := a.read(8 * _MEGABYTE):
                if block != b.read(8 * _MEGABYTE):
                    return False
    except OSError as error:
        raise DataProblem("Two files cannot be compared.", f"{first}, {second}", "Allow reading.") from error
    return True
