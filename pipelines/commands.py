"""What each command of the command line does. Prints for people; returns the exit status."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import Any

from brainviz.errors import BrainvizError
from brainviz.results import ResultStore
from pipelines import runs
from pipelines.plan import build_plan
from pipelines.preflight import cost_table, duration
from pipelines.request import RunRequest


def check(options: argparse.Namespace) -> int:
    """List every problem of a data set; 1 where something cannot be used."""
    from brainviz import open_dataset
    from brainviz.data.check import check_dataset

    dataset = open_dataset(options.dataset)
    problems = check_dataset(dataset, thorough=not options.quick, progress=_bar)
    _end_bar()
    kind = " (simulated)" if dataset.simulated else ""
    clips = dataset.clips["split"].value_counts().to_dict()
    print(f"{dataset.name}{kind}: subjects {', '.join(dataset.subjects) or 'none'}; clips per split: {clips}")
    for problem in problems:
        print(f"{problem.severity}: {problem.what}\n  where: {problem.path}\n  what to do: {problem.remedy}")
    print(f"{len(problems)} problems" if problems else "no problems found")
    return 1 if any(problem.severity == "error" for problem in problems) else 0


def run(options: argparse.Namespace) -> int:
    """Make results, in this terminal, with a progress bar; the run is also seen in the app."""
    from pipelines.work import work

    request = RunRequest(
        demo=options.demo,
        dataset=options.dataset,
        subjects=_names(options.subjects),
        segments=_names(options.segments),
        until=options.until,
        device=options.device,
        scheduler=options.scheduler,
        workers=options.workers,
        seed=options.seed,
        size=options.size,
        world=options.world,
        labeller=options.labeller,
        frame_encoder=options.frame_encoder,
        svd=options.svd,
        encoders=_names(options.encoders),
        joint=_names(options.joint),
        reanimate_with=_names(options.reanimate_with),
        object_masks=_names(options.object_masks),
        reanimate_clips=options.reanimate_clips,
        corrections=options.corrections,
    )
    _check_device(request.device)
    if options.dry_run:
        print(cost_table(build_plan(request, options.workspace), options.workspace))
        return 0
    return _follow(work, runs.new_run(options.workspace, request))


def render(options: argparse.Namespace) -> int:
    """Make one film; a slow backend's becomes a run, which the app shows too."""
    from dataclasses import replace

    from brainviz import open_workspace
    from brainviz.errors import NotReady
    from pipelines.interactive.reanimation import film_file, render_request
    from pipelines.work import work

    workspace = open_workspace(options.workspace)
    chosen = (
        options.subject,
        options.clip,
        options.system,
        options.backend,
        options.mask,
        options.sample,
        options.seed,
    )
    try:
        film = film_file(workspace, *chosen)
    except NotReady:
        asked = render_request(workspace, *chosen, options.weights, options.svd)
        request = replace(asked, device=options.device)
        _check_device(options.device)
        if _follow(work, runs.new_run(options.workspace, request)):
            return 1
        film = film_file(open_workspace(options.workspace), *chosen)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(film, options.out)
    print(f"wrote {options.out}{' (simulated)' if workspace.simulated else ''}")
    return 0


def resume(options: argparse.Namespace) -> int:
    """Go on with the newest run, in this terminal."""
    from pipelines.work import work

    newest = _newest(options)
    if runs.alive(newest):
        raise BrainvizError("This run is alive.", newest.id, "Watch it: python -m pipelines status")
    (newest.folder / "cancel").unlink(missing_ok=True)
    return _follow(work, newest)


def _follow(work: Any, run_: runs.Run) -> int:
    try:
        final = work(run_, show=lambda state: _bar(state["progress"], state.get("message", "")))
    finally:
        _end_bar()
    state = runs.status(run_)
    for name, error in state.get("errors", {}).items():
        print(f"failed: {name}: {error}", file=sys.stderr)
    taken = duration(state.get("ended", 0) - state["started"])
    print(f"{final} after {taken}. Look at it: streamlit run app.py (BRAINVIZ_WORKSPACE={run_.workspace})")
    return {"done": 0, "cancelled": 130}.get(final, 1)


def status(options: argparse.Namespace) -> int:
    """One line per run, newest first."""
    found = runs.list_runs(options.workspace)
    for run_ in found:
        state = runs.status(run_)
        eta = f", about {duration(state['eta_s'])} left" if state.get("eta_s") else ""
        print(f"{run_.id}  {state['status']:<9} {state['progress']:>4.0%}{eta}  {state.get('message', '')}")
    if not found:
        print(f"no runs in {options.workspace}")
    return 0


def cancel(options: argparse.Namespace) -> int:
    """Stop the newest live run."""
    live = [run_ for run_ in runs.list_runs(options.workspace) if runs.alive(run_)]
    if not live:
        raise BrainvizError("No run is alive.", str(options.workspace), "See python -m pipelines status.")
    runs.cancel(live[0])
    print(f"asked {live[0].id} to stop; what is complete is kept")
    return 0


def clean(options: argparse.Namespace) -> int:
    """Remove old results, unfinished work and caches. Refuses while a run is alive."""
    if any(runs.alive(run_) for run_ in runs.list_runs(options.workspace)):
        raise BrainvizError("A run is alive.", str(options.workspace), "Wait for its end, or cancel it first.")
    store = ResultStore(options.workspace)
    folders = [*store.removable(), options.workspace / "cache", options.workspace / "locks"]
    size = sum(f.stat().st_size for folder in folders for f in folder.rglob("*") if f.is_file())
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"freed {size / 1e6:.1f} MB")
    return 0


def table(options: argparse.Namespace) -> int:
    """Print or write one table of results."""
    from brainviz import open_workspace

    rows = open_workspace(options.workspace).table(options.name)
    if options.format == "parquet":
        if options.out is None:
            raise BrainvizError("A Parquet table needs a file.", "--out", "Give --out FILE.")
        rows.to_parquet(options.out, index=False)
        return 0
    text = rows.to_csv(index=False) if options.format == "csv" else rows.to_json(orient="records", indent=1)
    if options.out is None:
        print(text, end="")
    else:
        options.out.write_text(text)
    return 0


def simulate(options: argparse.Namespace) -> int:
    """Write a simulated data set."""
    from pipelines.simulate.config import SimulationConfig
    from pipelines.simulate.dataset import write_dataset

    write_dataset(SimulationConfig(options.seed, options.size, options.world), options.out, progress=_bar)
    _end_bar()
    print(f"wrote {options.out} (simulated; python -m pipelines run --dataset {options.out} --workspace DIR)")
    return 0


def weights(options: argparse.Namespace) -> int:
    """List model weights, or fetch one set."""
    from pipelines import weights as store

    if options.name is None:
        print(store.listing())
        return 0
    store.fetch(options.name, progress=_bar, file=options.file)
    return 0


def import_system(options: argparse.Namespace) -> int:
    """Copy another system's films into the workspace."""
    from brainviz import open_workspace
    from pipelines.import_system import ImportSettings
    from pipelines.import_system import import_system as copy_in

    settings = ImportSettings(options.subject, options.layout, options.first, options.size, options.replace)
    films = copy_in(open_workspace(options.workspace), options.name, options.source, settings, _bar)
    _end_bar()
    whose = f"subject {options.subject}" if options.subject else "all subjects"
    print(f"{len(films.clips)} films of {options.name} are in {options.workspace}, for {whose}")
    return 0


def _check_device(device: str) -> None:
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise BrainvizError("There is no CUDA device here.", "--device cuda", "Leave --device out to use the CPU.")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _newest(options: argparse.Namespace) -> runs.Run:
    found = runs.list_runs(options.workspace)
    if not found:
        raise BrainvizError("There is no run yet.", str(options.workspace), "Start one: python -m pipelines run --demo")
    return found[0]


def _bar(fraction: float, message: str = "") -> None:
    """One line that is written over again; a plain line now and then where the output is no terminal."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        filled = round(24 * fraction)
        line = f"[{'#' * filled}{'.' * (24 - filled)}] {fraction:>4.0%}  {message}"
        print(f"\r{line[: width - 1]:<{width - 1}}", end="", file=sys.stderr, flush=True)


def _end_bar() -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
