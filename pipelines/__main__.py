"""The command line: python -m pipelines check | run | render | status | cancel | resume | clean | table | ... |
import-system."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from brainviz.errors import BrainvizError, Cancelled
from pipelines import commands
from pipelines.request import TARGETS


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status (0 fine, 1 the work failed, 2 the request is wrong, 130 cancelled)."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except BrainvizError as error:
        print(f"error: {error.what}", file=sys.stderr)
        for label, text in (("where", error.where), ("what to do", error.remedy)):
            if text:
                print(f"  {label}: {text}", file=sys.stderr)
        return 2
    except (Cancelled, KeyboardInterrupt):
        print("cancelled; python -m pipelines resume goes on where it stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe (head, less) has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description=__doc__)
    known = parser.add_subparsers(required=True, metavar="COMMAND")
    workspace = os.environ.get("BRAINVIZ_WORKSPACE", "workspace")

    def add(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = known.add_parser(name, help=text, description=text)
        made.set_defaults(command=function)
        return made

    check = add("check", commands.check, "List every problem of a data set, before any work.")
    check.add_argument("--dataset", required=True, type=Path, metavar="DIR")
    check.add_argument("--quick", action="store_true", help="look at headers only, not at every value")

    _run_options(add("run", commands.run, "Make the results of the demo or of a data set."), workspace)
    for name, function, text in (
        ("status", commands.status, "Show the runs of a workspace."),
        ("cancel", commands.cancel, "Stop the newest run that is alive."),
        ("resume", commands.resume, "Go on with the newest run where it stopped."),
        ("clean", commands.clean, "Remove what no current result needs."),
    ):
        made = add(name, function, text)
        made.add_argument("--workspace", default=workspace, type=Path, metavar="DIR")

    _render_options(add("render", commands.render, "Make the film of one clip, moved by a system's flow."), workspace)

    table = add("table", commands.table, "Print a table of results.")
    table.add_argument("name", metavar="NAME")
    table.add_argument("--workspace", default=workspace, type=Path, metavar="DIR")
    table.add_argument("--format", choices=("csv", "json", "parquet"), default="csv")
    table.add_argument("--out", type=Path, metavar="FILE", help="where to write (needed for parquet)")

    simulate = add("simulate", commands.simulate, "Write a simulated data set in the CC2017 layout.")
    simulate.add_argument("--out", required=True, type=Path, metavar="DIR")
    _simulation_options(simulate)

    weights = add("weights", commands.weights, "Show which model weights are here; fetch one by name.")
    weights.add_argument("name", nargs="?", metavar="NAME")
    weights.add_argument("--file", type=Path, help="a checkpoint that is here already, to be converted, not fetched")
    _import_options(add("import-system", commands.import_system, "Copy another system's films in."), workspace)
    return parser


def _import_options(parser: argparse.ArgumentParser, workspace: str) -> None:
    from brainviz.data.reconstructions import LAYOUTS

    parser.add_argument("name", metavar="NAME", help="what to call the system, e.g. mind-video")
    parser.add_argument("source", type=Path, metavar="DIR", help="folder or .zip archive of one GIF or MP4 per clip")
    parser.add_argument("--workspace", default=workspace, type=Path, metavar="DIR")
    parser.add_argument("--subject", default="", metavar="1", help="whose films they are; without it: for all subjects")
    parser.add_argument("--layout", default="auto", choices=LAYOUTS, help="where in the picture the reconstruction is")
    parser.add_argument("--first", type=int, help="number of the first clip in file names (0 or 1 is found out)")
    parser.add_argument("--size", type=int, default=256, help="side of the clips in pixels")
    parser.add_argument("--replace", action="store_true", help="put them in the place of films of the same name")


def _simulation_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", choices=("tiny", "demo"), default="demo")
    parser.add_argument("--world", choices=("mixed", "static", "flicker", "nuisance", "noise"), default="mixed")


def _render_options(parser: argparse.ArgumentParser, workspace: str) -> None:
    parser.add_argument("--workspace", default=workspace, type=Path, metavar="DIR")
    parser.add_argument("--subject", required=True)
    parser.add_argument("--clip", required=True, metavar="test1-0042")
    parser.add_argument("--system", default="brain", help="whose flow: brain, image-only, truth, ...")
    parser.add_argument("--backend", default="warp", help="warp needs no weights; see python -m pipelines weights")
    parser.add_argument("--mask", default="none", help="which pixels move: none, predicted-objects, film-objects")
    parser.add_argument("--sample", type=int, default=0, help="of a system that gives several flows")
    parser.add_argument("--seed", type=int, default=0, help="of a backend that draws at random")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--weights", default="", metavar="FOLDER", help="of the backend, where they lie elsewhere")
    parser.add_argument("--svd", default="", metavar="FOLDER", help="folder of Stable Video Diffusion's weights")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.mp4")


def _run_options(parser: argparse.ArgumentParser, workspace: str) -> None:
    parser.add_argument("--demo", action="store_true", help="the simulated data set")
    parser.add_argument("--dataset", default="", metavar="DIR", help="the folder of a real data set")
    parser.add_argument("--workspace", default=workspace, type=Path, metavar="DIR")
    parser.add_argument("--subjects", default="", metavar="1,2", help="only these")
    parser.add_argument("--segments", default="", metavar="seg1,test1", help="only these films, for a trial")
    parser.add_argument("--until", default=TARGETS[-1], choices=TARGETS, help="how far to go")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler, e.g. tcp://head:8786")
    parser.add_argument("--workers", type=int, default=0, help="local processes; 0: one per core")
    parser.add_argument("--labeller", default="auto", help="auto, raft, dis or dis-fine")
    parser.add_argument("--frame-encoder", default="auto", help="auto, gabor or dinov2:FOLDER")
    parser.add_argument("--svd", default="", metavar="FOLDER", help="folder of Stable Video Diffusion's weights")
    parser.add_argument("--encoders", default="", metavar="NAME,NAME:FOLDER", help="encoding: which (see weights)")
    parser.add_argument("--joint", default="", metavar="A+B", help="encoding: pairs whose variance is partitioned")
    parser.add_argument("--reanimate-with", default="", metavar="BACKEND[:FOLDER],...", help="besides the warp")
    masks = "reanimation: what moves besides the whole frame: predicted-objects, film-objects, flowsam"
    parser.add_argument("--object-masks", default="", metavar="MASK,MASK", help=masks)
    parser.add_argument("--reanimate-clips", type=int, default=100, help="test clips that slow backends render")
    parser.add_argument(
        "--corrections",
        action="store_true",
        help="train Mind-Animator of the first subject with each correction undone, to see what it is worth",
    )
    parser.add_argument("--dry-run", action="store_true", help="only print time, memory and disk per stage")
    _simulation_options(parser)


if __name__ == "__main__":
    sys.exit(main())
