"""Outlines of regions on the flat map as closed lines, for vector graphics."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import numpy.typing as npt

from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import load_surface

Point = tuple[float, float]
Line = npt.NDArray[np.float64]
_Node = tuple[int, ...]  # one vertex, the two of an edge (its middle), or the three of a triangle (its centre)


@cache
def region_outlines() -> dict[str, tuple[Line, ...]]:
    """Lines of every region by its full name (``"L_V1"``): float64 (n, 2) in mm, right and up.

    A line runs through the middles of the edges between region and neighbours, through the centre of a triangle where
    three regions meet, and along the edge of the map. Each is closed: its first point is its last.
    """
    labels, names = glasser().labels, glasser().names
    links: dict[int, list[tuple[_Node, _Node]]] = defaultdict(list)
    _between_regions(labels, links)
    _along_the_edge(labels, links)
    return {names[label]: tuple(_chains(links[label])) for label in sorted(links) if label}


@cache
def region_places() -> tuple[tuple[str, Point, float], ...]:
    """Where each area's name may stand, per hemisphere: name, position in mm (near the median), width in mm."""
    surface, labels = load_surface(), glasser().labels
    used = np.zeros(len(labels), bool)
    used[surface.flat_faces] = True
    places = []
    for label in range(1, len(glasser().names)):
        points = surface.flat[(labels == label) & used].astype(np.float64)
        if len(points):
            best = points[((points - np.median(points, 0)) ** 2).sum(1).argmin()]
            places.append((glasser().names[label][2:], (float(best[0]), float(best[1])), 1.7 * len(points) ** 0.5))
    return tuple(places)


def _between_regions(labels: npt.NDArray[np.int16], links: dict[int, list[tuple[_Node, _Node]]]) -> None:
    faces = load_surface().flat_faces
    corners = labels[faces]
    mixed = (corners != corners[:, :1]).any(1)
    for face, own in zip(faces[mixed].tolist(), corners[mixed].tolist(), strict=True):
        for label in set(own):
            crossed = [
                _node(face[i], face[(i + 1) % 3]) for i in range(3) if (own[i] == label) != (own[(i + 1) % 3] == label)
            ]
            if len(set(own)) == 3:
                centre = _node(*face)
                links[label] += [(crossed[0], centre), (centre, crossed[1])]
            else:
                links[label].append((crossed[0], crossed[1]))


def _along_the_edge(labels: npt.NDArray[np.int16], links: dict[int, list[tuple[_Node, _Node]]]) -> None:
    faces = load_surface().flat_faces
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    for a, b in unique[count == 1].tolist():
        for label, vertex in {(int(labels[a]), a), (int(labels[b]), b)}:
            if labels[a] != labels[b]:
                links[label].append((_node(vertex), _node(a, b)))
        if labels[a] == labels[b]:
            links[int(labels[a])].append((_node(a), _node(b)))


def _node(*vertices: int) -> _Node:
    return tuple(sorted(vertices))


def _place(node: _Node) -> Point:
    points = [_flat_positions()[vertex] for vertex in node]
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


@cache
def _flat_positions() -> list[Point]:
    positions: list[Point] = load_surface().flat.tolist()
    return positions


def _chains(links: list[tuple[_Node, _Node]]) -> list[Line]:
    """Follow links from node to node until they close."""
    at: dict[_Node, list[int]] = defaultdict(list)
    for i, (a, b) in enumerate(links):
        at[a].append(i)
        at[b].append(i)
    used = [False] * len(links)
    lines = []
    for start in range(len(links)):
        if used[start]:
            continue
        node, way, following = links[start][0], [links[start][0]], start
        while following >= 0:
            used[following] = True
            a, b = links[following]
            node = b if node == a else a
            way.append(node)
            following = next((i for i in at[node] if not used[i]), -1) if node != way[0] else -1
        lines.append(np.array([_place(nodes) for nodes in way]))
    return lines
