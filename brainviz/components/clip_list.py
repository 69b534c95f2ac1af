"""The list of clips a visitor picks from: filtered by words and case, in one of four orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ORDERS = {
    "film": "Order of the film",
    "gain": "fMRI helped most",
    "loss": "fMRI helped least",
    "speed": "Fastest motion",
}
ORDER_NOTE = "Ranked on odd test runs; the gains shown are those of even runs."


def filtered(clips: pd.DataFrame, words: str, case: str) -> pd.DataFrame:
    """Clips whose id, caption or case holds every word, and whose case is `case` ("" for all)."""
    text = clips["clip"] + " " + clips["caption"].fillna("") + " " + clips["case"].fillna("")
    keep = text.str.len() >= 0
    for word in words.lower().split():
        keep &= text.str.lower().str.contains(word, regex=False)
    if case:
        keep &= clips["case"] == case
    return clips[keep]


def in_order(clips: pd.DataFrame, order: str, gain: pd.DataFrame, speed: pd.Series) -> pd.DataFrame:
    """Clips in one of `ORDERS`; clips without the quantity come last."""
    if order in ("gain", "loss") and len(gain):
        key = clips["clip"].map(gain["gain_odd"])
        return clips.assign(_key=key).sort_values("_key", ascending=order == "loss", na_position="last", kind="stable")
    if order == "speed":
        key = clips["clip"].map(speed)
        return clips.assign(_key=key).sort_values("_key", ascending=False, na_position="last", kind="stable")
    return clips


def page_of(position: int, per_page: int) -> int:
    """The page, from 0, that holds the item at this position."""
    return max(0, position) // per_page


def cases(clips: pd.DataFrame) -> list[str]:
    """The ambiguity cases that occur, by name."""
    return sorted(case for case in clips["case"].dropna().unique() if case)
