"""The app as a server of its own, for tests: on a free port, with a log that must stay clean."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START_S = 90


@dataclass(frozen=True)
class Server:
    """A running app: its address, its workspace, its log."""

    url: str
    workspace: Path
    log: Path
    started: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def serving(workspace: Path, log: Path, script: str = "app.py", **environment: str) -> Iterator[Server]:
    """Run the app (or another page) until the block ends; afterwards its log must hold no traceback."""
    url = f"http://127.0.0.1:{free_port()}"
    variables = {**os.environ, "BRAINVIZ_WORKSPACE": str(workspace), "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", url.rsplit(":", 1)[1]]
    started = time.monotonic()
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, env=variables, start_new_session=True
        )
        try:
            while not healthy(url):
                if process.poll() is not None or time.monotonic() - started > START_S:
                    pytest.fail(f"The server did not start:\n{log.read_text()}")
                time.sleep(0.05)
            yield Server(url, workspace, log, started)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in log.read_text(), log.read_text()
