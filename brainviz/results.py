"""Finished results on disk: folders named by key, complete once their manifest stands, found through pointers.

results/<stage>/<unit>/<key>/manifest.json   written last; a folder without it does not count
results/<stage>/<unit>/work-<key>/           checkpoints of unfinished work, removed when it is done
current/<stage>/<unit>.json                  which key is the current one
current/VERSION                              changes whenever a pointer changes
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainviz.errors import BrainvizError
from brainviz.storage import read_json, safe_name, storage_error, write_json

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Result:
    """One complete result: its folder and its manifest."""

    stage: str
    unit: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def arrays(self) -> Path:
        """The Zarr group of the result."""
        return self.folder / "arrays.zarr"


class ResultStore:
    """The results of one workspace folder: complete, publish, find, clean."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifests: dict[Path, dict[str, Any]] = {}

    def folder(self, stage: str, unit: str, key: str) -> Path:
        """Where the result of this key stands or will stand."""
        return self.path / "results" / safe_name(stage) / safe_name(unit) / safe_name(key)

    def work_folder(self, stage: str, unit: str, key: str) -> Path:
        """Where unfinished work of this key keeps its checkpoints."""
        return self.path / "results" / safe_name(stage) / safe_name(unit) / f"work-{safe_name(key)}"

    def complete(self, stage: str, unit: str, key: str) -> bool:
        """Whether the result of this key is complete."""
        return (self.folder(stage, unit, key) / "manifest.json").exists()

    @contextmanager
    def lock(self, stage: str, unit: str, key: str) -> Iterator[None]:
        """Hold the exclusive right to make this result; a second maker waits here, then finds it complete."""
        path = self.path / "locks" / f"{safe_name(stage)}.{safe_name(unit)}.{safe_name(key)}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise storage_error(error, path) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def writing(self, stage: str, unit: str, key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Give a temporary folder and a manifest to fill; on a clean exit both become the result, at once.

        On any error the folder is removed and the result stays incomplete. The caller holds `lock`, so a temporary
        folder of the same key can only be one that a killed process left.
        """
        target = self.folder(stage, unit, key)
        temporary = target.with_name(f"tmp-{key}-{uuid.uuid4().hex[:8]}")
        manifest: dict[str, Any] = {"stage": stage, "unit": unit, "key": key}
        for left_by_a_killed_process in target.parent.glob(f"tmp-{key}-*"):
            shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
        try:
            temporary.mkdir(parents=True)
            yield temporary, manifest
            write_json(temporary / "manifest.json", manifest | {"finished": time.time()})
            if target.exists():
                shutil.rmtree(target)
            temporary.replace(target)
        except OSError as error:
            raise storage_error(error, target) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(self.work_folder(stage, unit, key), ignore_errors=True)

    def point(self, stage: str, unit: str, key: str) -> None:
        """Make this key the current result of the unit (no write where it already is)."""
        pointer = self.path / "current" / safe_name(stage) / f"{safe_name(unit)}.json"
        if read_json(pointer, {}).get("key") != key:
            write_json(pointer, {"key": key})
            write_json(self.path / "current" / "VERSION", uuid.uuid4().hex)

    def version(self) -> str:
        """A string that changes whenever any current result changes."""
        return str(read_json(self.path / "current" / "VERSION", ""))

    def units(self, stage: str) -> list[str]:
        """Units of the stage that have a current result."""
        folder = self.path / "current" / stage
        return sorted(pointer.name.removesuffix(".json") for pointer in folder.glob("[!.]*.json"))

    def current(self, stage: str, unit: str) -> Result | None:
        """The current result of a unit, or None where there is none yet."""
        key = read_json(self.path / "current" / safe_name(stage) / f"{safe_name(unit)}.json", {}).get("key")
        if key is None:
            return None
        folder = self.folder(stage, unit, key)
        if folder not in self._manifests:
            manifest = read_json(folder / "manifest.json")
            if manifest is None:
                return None
            self._manifests[folder] = manifest
        return Result(stage, unit, folder, self._manifests[folder])

    def all_current(self, stage: str) -> list[Result]:
        """The current results of every unit of a stage, in the order of their names."""
        found = (self.current(stage, unit) for unit in self.units(stage))
        return [result for result in found if result is not None]

    def removable(self) -> list[Path]:
        """Folders under results/ that no pointer names: old keys, temporary and work folders nobody is filling."""
        kept = {r.folder for stage in self._stages() for r in self.all_current(stage)}
        return [p for p in sorted((self.path / "results").glob("*/*/*")) if p not in kept and p.is_dir()]

    def _stages(self) -> list[str]:
        return sorted(p.name for p in (self.path / "current").glob("*") if p.is_dir())


def check_schema(path: Path) -> dict[str, Any]:
    """Read ``workspace.json``; raises `BrainvizError` for another schema version or a folder that is none."""
    facts = read_json(path / "workspace.json")
    if facts is None:
        raise BrainvizError(
            "There is no workspace here yet.", str(path), "Make one: python -m pipelines run --demo --workspace DIR"
        )
    if facts.get("schema") != SCHEMA_VERSION:
        raise BrainvizError(
            f"This workspace has schema version {facts.get('schema')}; this program reads version {SCHEMA_VERSION}.",
            str(path),
            "Use the program version that made it, or make a new workspace.",
        )
    return dict(facts)
