"""Names of exported files, the settings beside them, and what to cite."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

CITATION = """@software{brainviz,
  title = {brainviz: motion read from brains watching films},
  note = {version 0.1.0}
}
@inproceedings{yeung2025brainnrds,
  title = {Reanimating Images using Neural Representations of Dynamic Stimuli},
  author = {Yeung, Jacob and others},
  booktitle = {Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2025},
  note = {arXiv:2406.02659}
}
@inproceedings{lu2025mindanimator,
  title = {Animate Your Thoughts: Reconstruction of Dynamic Natural Vision from Human Brain Activity},
  author = {Lu, Yizhuo and others},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year = {2025},
  note = {arXiv:2405.03280}
}"""


def file_stem(*parts: str, simulated: bool) -> str:
    """A file name without ending: subject, clip, system and so on, marked where the data are simulated."""
    words = ["brainviz", *parts, *(["simulated"] if simulated else [])]
    return "_".join(re.sub(r"[^A-Za-z0-9.+-]+", "-", word).strip("-") for word in words if word)


def settings_json(choices: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """What is on the screen, as JSON: choices of the visitor and facts of the workspace."""
    return json.dumps({"choices": dict(choices), "data": dict(facts)}, indent=1, sort_keys=True, default=str)


def download(label: str, icon: str, make: Callable[[], Any], file: str, mime: str, off: bool = False) -> None:
    """An entry of an export menu. The file is made when asked for, and nothing else on the page changes."""
    st.download_button(
        label,
        make,
        file,
        mime,
        icon=f":material/{icon}:",
        on_click="ignore",
        width="stretch",
        key=f"export:{label}",
        disabled=off,
    )
