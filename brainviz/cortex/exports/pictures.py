"""A map as a picture with its legend: PNG as displayed, SVG with editable outlines and names."""

from __future__ import annotations

import base64
import importlib.util
import io
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt

from brainviz.cortex.exports.shown import SIMULATED, Shown
from brainviz.cortex.outlines import region_outlines, region_places
from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import load_surface

MARGIN, HEAD, FOOT = 24, 48, 96
BAR = (220, 14)
INK, QUIET = "#16181d", "#555b66"


def png(shown: Shown, height: int = 768) -> bytes:
    """The map with title, colour bar and caption on white; settings and the simulated mark in the file's metadata.

    Parameters
    ----------
    height : int
        Of the flat map in pixels.
    """
    from PIL import Image, ImageDraw, PngImagePlugin

    picture = Image.fromarray(shown.image(height), "RGBA")
    width = picture.width + 2 * MARGIN
    page = Image.new("RGBA", (width, picture.height + HEAD + FOOT), "white")
    page.alpha_composite(picture, (MARGIN, HEAD))
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, 14), shown.title, INK, font=_font(22))
    if shown.region:
        for line in _lines_of(shown.region, height):
            pen.line([(x + MARGIN, y + HEAD) for x, y in line], INK, 3, joint="curve")
    if shown.names:
        for name, x, y in _names(height):
            pen.text(
                (x + MARGIN, y + HEAD), name, INK, font=_font(12), anchor="mm", stroke_width=2, stroke_fill="white"
            )
    top = HEAD + picture.height + 16
    _draw_legend(pen, page, shown, width, top)
    pen.text((MARGIN, top + 40), shown.words(), QUIET, font=_font(15))
    facts = PngImagePlugin.PngInfo()
    for name, text in _facts(shown).items():
        facts.add_itxt(name, text)
    stream = io.BytesIO()
    page.convert("RGB").save(stream, "PNG", pnginfo=facts, dpi=(200, 200))
    return stream.getvalue()


def svg(shown: Shown, height: int = 768) -> bytes:
    """The map as SVG: colours as an embedded picture, each region's outline as a path named by its id, text as text."""
    from dataclasses import replace

    plain = replace(shown, outlines=False).image(height)
    rows, columns = plain.shape[:2]
    width, tall = columns + 2 * MARGIN, rows + HEAD + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
        f'height="{tall}" viewBox="0 0 {width} {tall}" font-family="sans-serif" role="img">',
        f"<title>{escape(shown.title)}</title>",
        f"<desc>{escape(shown.words())}</desc>",
        f"<metadata>{escape(shown.settings())}</metadata>",
        f'<rect width="{width}" height="{tall}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="32" font-size="22" fill="{INK}">{escape(shown.title)}</text>',
        f'<g transform="translate({MARGIN} {HEAD})">',
        f'<image id="map" width="{columns}" height="{rows}" xlink:href="{_data_address(plain)}"/>',
        *_svg_outlines(shown, height),
        *(_svg_names(height) if shown.names else []),
        "</g>",
        *_svg_legend(shown, width, HEAD + rows + 16),
        f'<text x="{MARGIN}" y="{tall - 28}" font-size="15" fill="{QUIET}">{escape(shown.words())}</text>',
        "</svg>",
    ]
    return "\n".join(parts).encode()


def to_pixels(points: npt.NDArray[Any], height: int) -> npt.NDArray[np.float64]:
    """Positions on the flat map (mm, right and up) as pixels (right and down) of a raster of this height."""
    low, high = _frame()
    # The raster is every second pixel of one twice as high, see brainviz.cortex.raster.
    scale = (2 * height - 1) / (high - low)[1] / 2
    placed = (np.asarray(points, np.float64) - low) * scale
    placed[:, 1] = (2 * height - 1) / 2 - placed[:, 1]
    return placed


@cache
def _frame() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest position on the flat map in mm."""
    used = load_surface().flat[np.unique(load_surface().flat_faces)].astype(np.float64)
    return used.min(0), used.max(0)


def _facts(shown: Shown) -> dict[str, str]:
    facts = {"Title": shown.title, "Description": shown.words(), "Settings": shown.settings(), "Software": "brainviz"}
    return facts | ({"Source": SIMULATED} if shown.simulated else {})


def _lines_of(region: str, height: int) -> list[list[tuple[float, float]]]:
    wanted = [glasser().names[label] for label in glasser().ids(region)]
    found = region_outlines()
    return [[(float(x), float(y)) for x, y in to_pixels(line, height)] for name in wanted for line in found[name]]


def _names(height: int) -> list[tuple[str, float, float]]:
    """Names of the regions that have room for them: name, x, y in pixels."""
    places = region_places()
    points = to_pixels(np.array([place for _, place, _ in places]), height)
    mm = float(to_pixels(np.array([[1.0, 0.0]]), height)[0, 0] - to_pixels(np.zeros((1, 2)), height)[0, 0])
    return [
        (name, float(x), float(y))
        for (name, _, size), (x, y) in zip(places, points, strict=True)
        if size * mm > 18 + 8 * len(name)
    ]


def _font(size: int) -> Any:
    """A font with Greek letters and signs (it comes with matplotlib), else Pillow's own."""
    from PIL import ImageFont

    found = importlib.util.find_spec("matplotlib")
    if found is not None and found.origin:
        path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)


def _draw_legend(pen: Any, page: Any, shown: Shown, width: int, top: int) -> None:
    from PIL import Image

    if shown.classes:
        left = MARGIN
        for label, colour in shown.classes:
            pen.rectangle((left, top, left + 14, top + 14), f"#{colour.lstrip('#')}")
            pen.text((left + 20, top - 2), label, INK, font=_font(15))
            left += 40 + round(pen.textlength(label, font=_font(15)))
        return
    low, high = (f"{limit:g}" for limit in shown.scale)
    left = width - MARGIN - BAR[0] - 110
    strip = Image.fromarray(np.repeat(shown.table[None], BAR[1], 0)).resize(BAR)
    page.paste(strip, (left, top))
    pen.text((left - 8, top + 7), low, INK, font=_font(15), anchor="rm")
    pen.text((left + BAR[0] + 8, top + 7), f"{high} {shown.unit}".strip(), INK, font=_font(15), anchor="lm")


def _data_address(pixels: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _svg_outlines(shown: Shown, height: int) -> list[str]:
    chosen = {glasser().names[label] for label in glasser().ids(shown.region)} if shown.region else set()
    paths = []
    for name, lines in region_outlines().items():
        if not shown.outlines and name not in chosen:
            continue
        steps = " ".join(_path(to_pixels(line, height)) for line in lines)
        look = (
            f'stroke="{INK}" stroke-width="3"'
            if name in chosen
            else 'stroke="#181c24" stroke-width="0.8" stroke-opacity="0.45"'
        )
        paths.append(
            f'<path id={quoteattr(name)} class="region" d="{steps}" fill="none" {look} stroke-linejoin="round"/>'
        )
    return paths


def _path(points: npt.NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in points[:-1]) + "Z"


def _svg_names(height: int) -> list[str]:
    look = f'font-size="12" text-anchor="middle" fill="{INK}" stroke="#ffffff" stroke-width="3" paint-order="stroke"'
    return [f'<text x="{x:.1f}" y="{y + 4:.1f}" {look}>{escape(name)}</text>' for name, x, y in _names(height)]


def _svg_legend(shown: Shown, width: int, top: int) -> list[str]:
    if shown.classes:
        parts, left = [], float(MARGIN)
        for label, colour in shown.classes:
            parts.append(f'<rect x="{left}" y="{top}" width="14" height="14" fill="#{colour.lstrip("#")}"/>')
            parts.append(f'<text x="{left + 20}" y="{top + 12}" font-size="15" fill="{INK}">{escape(label)}</text>')
            left += 44 + 8.5 * len(label)
        return parts
    low, high = (f"{limit:g}" for limit in shown.scale)
    colours = ["".join(f"{c:02x}" for c in shown.table[round(k / 16 * (len(shown.table) - 1))]) for k in range(17)]
    stops = [f'<stop offset="{k / 16:.4f}" stop-color="#{colour}"/>' for k, colour in enumerate(colours)]
    left, side = width - MARGIN - BAR[0] - 110, f'font-size="15" fill="{INK}"'
    return [
        f'<defs><linearGradient id="scale">{"".join(stops)}</linearGradient></defs>',
        f'<rect x="{left}" y="{top}" width="{BAR[0]}" height="{BAR[1]}" fill="url(#scale)"/>',
        f'<text x="{left - 8}" y="{top + 12}" text-anchor="end" {side}>{low}</text>',
        f'<text x="{left + BAR[0] + 8}" y="{top + 12}" {side}>{high} {escape(shown.unit)}</text>',
    ]
