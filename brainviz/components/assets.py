"""The components' own files: HTML, CSS, JavaScript and icons below assets/, read once."""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@cache
def text(name: str) -> str:
    """The text of ``assets/<name>``."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def markup(name: str) -> str:
    """An HTML file; a comment that names another HTML file, ``<!-- player/transport.html -->``, stands for it."""
    return re.sub(r"<!-- ([a-z_/]+\.html) -->", lambda match: text(match[1]), text(name))


def script(folder: str, parts: tuple[str, ...]) -> str:
    """Several JavaScript files as one module, in this order: small files to read, one string for Streamlit."""
    return "\n".join(text(f"{folder}/{part}.js") for part in parts)


def data_address(name: str) -> str:
    """An SVG file as an address that needs no request (Streamlit strips inline SVG)."""
    return f"data:image/svg+xml;base64,{base64.b64encode(text(name).encode()).decode()}"


def icon(name: str) -> str:
    """Path of an icon file. Named icons of Streamlit would be fetched from the web for the page's favicon."""
    return str(ASSETS / "icons" / name)
