"""torchvision imports beside a torch of another build, and is left alone beside its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

_RUN = """
import sys
from brainviz.compat import prepare_torchvision
first, again = prepare_torchvision(), prepare_torchvision()
import torch, torchvision
from torchvision.models.optical_flow import raft_small
from torchvision.ops import nms
assert first == again, (first, again)
boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2.1], [5, 5, 6, 6]])
if not first:
    assert nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]
print("fine")
"""


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_torchvision_and_its_networks_import() -> None:
    done = _python(_RUN)
    assert done.stdout.strip() == "fine", done.stderr


@pytest.mark.parametrize(
    "module", ["brainviz.flow", "brainviz.compat", "pipelines.flow_labels", "pipelines.features.first_frame"]
)
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    heavy = ["torch", "torchvision", "transformers", "diffusers", "sklearn", "scipy", "cv2", "pandas", "matplotlib"]
    done = _python(f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_a_loaded_torchvision_is_left_alone() -> None:
    done = _python(
        "import sys, types; sys.modules['torchvision'] = types.ModuleType('torchvision')\n"
        "from brainviz.compat import prepare_torchvision; print(prepare_torchvision(), 'torch' in sys.modules)"
    )
    assert done.stdout.strip() == "False False", done.stderr
