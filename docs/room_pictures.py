"""Draw the pictures of the pages on rooms: ``python docs/room_pictures.py``.

Writes one small PNG for each page to ``docs/images/rooms``, with the colours of ``holonomy.plot``.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.collections import LineCollection
from PIL import Image

from holonomy import datasets, embed, graphs, measure, plot
from holonomy.manifolds import PoincareBall, Sphere, axis_angle_to_matrix
from holonomy.objectives import chordal_loss, geodesic_loss
from holonomy.optim import RiemannianSGD
from holonomy.stats import frechet_mean

FOLDER = Path(__file__).parent / "images" / "rooms"


def draw_datasets() -> None:
    """Draw four synthetic manifolds, coloured by a true coordinate."""
    made = {
        "swiss roll with a hole": datasets.make_swiss_roll(1500, hole=True, random_state=0),
        "torus": datasets.make_torus(1500, random_state=0),
        "pinched torus": datasets.make_pinched_torus(1500, random_state=0),
        "branching tree": datasets.make_branching_tree(1500, random_state=0),
    }
    figure = plt.figure(figsize=(11, 2.9))
    for place, (name, data) in enumerate(made.items(), 1):
        X = np.asarray(data.X)
        X = (X - X.mean(0)) @ np.linalg.svd(X - X.mean(0), full_matrices=False)[2][:3].T
        axes = figure.add_subplot(1, 4, place, projection="3d")
        axes.scatter(*X.T, c=np.asarray(data.latent)[:, 0], s=3, cmap="viridis")
        axes.set_title(name, fontsize=10)
        axes.set_axis_off()
    save(figure, "datasets")


def draw_graphs() -> None:
    """Draw a neighbour graph and the geodesics on it from one point."""
    roll = datasets.make_swiss_roll(700, noise=0.5, random_state=0)
    graph = graphs.neighbors(roll.X, 10)
    far = graphs.geodesics(graph, [0])[0]
    figure, panels = plt.subplots(1, 2, figsize=(8.5, 3.2))
    flat = np.asarray(roll.X)[:, [0, 2]]
    edges = [(flat[i], flat[j]) for i, row in enumerate(graph.indices) for j in row]
    panels[0].add_collection(LineCollection(edges, linewidths=0.3, colors="0.55"))
    panels[0].set_title("who neighbours whom", fontsize=10)
    panels[1].set_title("how far along the data from the dot", fontsize=10)
    for axes, colors in zip(panels, (np.zeros(len(far)), far), strict=True):
        axes.scatter(*flat.T, c=colors, s=6, cmap="viridis", zorder=2)
        axes.scatter(*flat[:1].T, c="crimson", s=40, zorder=3)
        axes.set_aspect("equal")
        axes.set_axis_off()
    save(figure, "graphs")


def draw_manifolds() -> None:
    """Draw geodesics of the Poincare ball, and a vector carried around the sphere."""
    figure = plt.figure(figsize=(8, 3.6))
    axes = figure.add_subplot(1, 2, 1)
    ball, times = PoincareBall(2), torch.linspace(0, 1, 60, dtype=torch.float64).unsqueeze(-1)
    corners = 0.93 * torch.stack([torch.tensor([np.cos(a), np.sin(a)]) for a in 2 * np.pi * np.arange(7) / 7])
    for i in range(7):
        for j in range(i):
            axes.plot(*ball.geodesic(corners[i], corners[j], times.squeeze(-1)).T, color=plt.cm.viridis((i - j) / 7))
    axes.add_patch(plt.Circle((0, 0), 1, fill=False, color="0.4"))
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title("geodesics of the Poincaré ball", fontsize=10)
    axes = figure.add_subplot(1, 2, 2, projection="3d")
    sphere = Sphere(2)
    way = [torch.tensor(p, dtype=torch.float64) for p in ([1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1.0, 0, 0])]
    u, w = np.mgrid[0 : 2 * np.pi : 40j, 0 : np.pi : 20j]
    axes.plot_wireframe(np.cos(u) * np.sin(w), np.sin(u) * np.sin(w), np.cos(w), color="0.85", linewidth=0.5)
    v = torch.tensor([0, 0, 0.5], dtype=torch.float64)
    for x, y in pairwise(way):
        steps = [sphere.geodesic(x, y, t) for t in np.linspace(0, 1, 6)]
        axes.plot(*torch.stack(steps).T, color="0.4")
        for a, b in pairwise(steps):
            axes.quiver(*a, *v, color="crimson", linewidth=1)
            v = sphere.transport(a, b, v)
    axes.quiver(*way[-1], *v, color="navy", linewidth=2)
    axes.view_init(25, 35)
    axes.set_box_aspect((1, 1, 1))
    axes.set_axis_off()
    axes.set_title("carried around, a vector comes back turned", fontsize=10)
    save(figure, "manifolds")


def draw_embed() -> None:
    """Draw four maps of the digits."""
    digits = datasets.load("digits")
    graph = graphs.neighbors(digits.X, 15)
    figure, panels = plt.subplots(1, 4, figsize=(12, 3.2), layout="constrained")
    methods: dict[str, Any] = {
        "UMAP": embed.UMAP(random_state=0), "PHATE": embed.PHATE(random_state=0),
        "HeatGeodesic": embed.HeatGeodesic(random_state=0), "Isomap": embed.Isomap(),
    }  # fmt: skip
    for axes, (name, method) in zip(panels, methods.items(), strict=True):
        places = method.fit_transform(digits.X, graph=graph) if name == "UMAP" else method.fit_transform(digits.X)
        plot.embedding(places, digits.target, ax=axes)
        axes.set_title(name, fontsize=10)
        if axes.get_legend():
            axes.get_legend().remove()
    save(figure, "embed")


def draw_measure() -> None:
    """Draw how many neighbours two maps keep, over the size of the neighbourhood, and where one stretches."""
    digits = datasets.load("digits")
    graph = graphs.neighbors(digits.X, 15)
    places = embed.UMAP(random_state=0).fit_transform(digits.X, graph=graph)
    flat = (digits.X - digits.X.mean(0)) @ np.linalg.svd(digits.X - digits.X.mean(0), full_matrices=False)[2][:2].T
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    curves = {"UMAP": measure.rank_curve(digits.X, places), "PCA": measure.rank_curve(digits.X, flat)}
    plot.rank_curves(curves, ax=panels[0])
    plot.ellipses(places, measure.map_metric(places, graph), ax=panels[1])
    save(figure, "measure")


def draw_plot() -> None:
    """Draw distances on a map of the Swiss roll beside those of the data, and dimension over scale."""
    roll = datasets.make_swiss_roll(800, noise=0.3, random_state=0)
    places = embed.Isomap().fit_transform(roll.X)
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    plot.shepard(roll.X, places, ax=panels[0])
    plot.dimension(measure.dimension_over_scale(roll.X), ax=panels[1])
    save(figure, "plot")


def draw_optim() -> None:
    """Draw ways down to the mean of points on a sphere, with and without momentum."""
    sphere = Sphere(2)
    points = sphere.random_normal(40, mean=torch.tensor([0.0, 0.6, 0.8]), std=0.35, random_state=2)
    figure = plt.figure(figsize=(4.2, 3.6))
    axes = figure.add_subplot(projection="3d")
    u, w = np.mgrid[0 : 2 * np.pi : 40j, 0 : np.pi : 20j]
    axes.plot_wireframe(np.cos(u) * np.sin(w), np.sin(u) * np.sin(w), np.cos(w), color="0.88", linewidth=0.5)
    axes.scatter(*points.T, s=8, color="0.3")
    for momentum, color in ((0.0, "navy"), (0.8, "crimson")):
        x = torch.tensor([0.8, 0.0, -0.6]).requires_grad_()
        optimizer, way = RiemannianSGD([x], lr=0.12, momentum=momentum, manifold=sphere), []
        for _ in range(60):
            way.append(x.detach().clone())
            optimizer.zero_grad()
            sphere.squared_dist(x, points).mean().mul(0.5).backward()
            optimizer.step()
        axes.plot(*torch.stack(way).T, ".-", color=color, label=f"momentum {momentum:g}", markersize=4)
    axes.legend(fontsize=8)
    axes.view_init(20, 60)
    axes.set_axis_off()
    save(figure, "optim")


def draw_stats() -> None:
    """Draw the mean of points in hyperbolic space, which is not that of their coordinates."""
    ball = PoincareBall(2)
    center = torch.tensor([0.55, 0.35], dtype=torch.float64)
    points = ball.random_normal(150, mean=center, std=1.4, random_state=1)
    mean = frechet_mean(points, ball).point
    figure, axes = plt.subplots(figsize=(4, 3.6))
    axes.scatter(*points.T, s=8, color="0.6")
    for name, place, color in (("Fréchet mean", mean, "crimson"), ("mean of coordinates", points.mean(0), "navy")):
        axes.scatter(*torch.as_tensor(place), s=60, color=color, label=name)
    axes.add_patch(plt.Circle((0, 0), 1, fill=False, color="0.4"))
    axes.legend(fontsize=8, loc="lower left")
    axes.set_aspect("equal")
    axes.set_axis_off()
    save(figure, "stats")


def draw_objectives() -> None:
    """Draw losses of rotations over the angle between prediction and truth."""
    angles = torch.linspace(0, np.pi, 200, dtype=torch.float64)
    axis = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    turned = axis_angle_to_matrix(angles.unsqueeze(-1) * axis)
    truth = torch.eye(3, dtype=torch.float64).expand_as(turned)
    figure, axes = plt.subplots(figsize=(4.6, 3))
    for name, loss in (("geodesic_loss", geodesic_loss), ("chordal_loss", chordal_loss)):
        axes.plot(np.degrees(angles), loss(turned, truth, "none"), label=name)
    axes.set_xlabel("angle between prediction and truth, degrees")
    axes.set_ylabel("loss")
    axes.legend(fontsize=8)
    save(figure, "objectives")


def save(figure: plt.Figure, name: str) -> None:
    """Write a figure with few colours."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
    Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)


DRAWINGS: tuple[Callable[[], None], ...] = (
    draw_datasets, draw_graphs, draw_manifolds, draw_embed, draw_measure, draw_plot, draw_optim, draw_stats,
    draw_objectives,
)  # fmt: skip

if __name__ == "__main__":
    for drawing in DRAWINGS:
        drawing()
