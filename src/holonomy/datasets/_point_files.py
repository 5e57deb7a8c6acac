"""Sets of points with a geometry of their own: the globe, a torus, a tree, a table of sensors."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np

from holonomy.datasets._fetch import fetch
from holonomy.datasets._registry import DataSet

MISSING = -200.0
"""The air quality file's mark for a value that was not measured."""

TORSION_NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "chi"]

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def unit_vectors(location: np.ndarray) -> np.ndarray:
    """Return the points (n, 3) on the unit sphere at latitude and longitude (n, 2) in degrees."""
    latitude, longitude = np.radians(location).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def load_earth(entry: DataSet) -> dict[str, Any]:
    """Return events on the globe."""
    path = fetch(entry.files[0])
    location = np.loadtxt(path, delimiter=",", skiprows=_lines_before_numbers(path))
    return {
        "X": unit_vectors(location),
        "feature_names": ["x", "y", "z"],
        "location": location,
        "metadata": {"latitude": location[:, 0], "longitude": location[:, 1]},
    }


def load_temperatures(entry: DataSet) -> dict[str, Any]:
    """Return the monthly temperatures of cities."""
    rows = list(csv.DictReader(fetch(entry.files[0]).read_text(encoding="utf-8").splitlines()))
    rows = [row for row in rows if row["City"]]
    location = np.array([[row["Latitude"], row["Longitude"]] for row in rows], dtype=np.float64)
    country = ["United Arab Emirates" if row["Country"] == "United Arab" else row["Country"] for row in rows]
    # The file took bytes of Mac OS Roman for Latin-1, so that its accented letters are control characters.
    city = [row["City"].encode("latin-1").decode("mac_roman") for row in rows]
    return {
        "X": np.array([[row[month] for month in MONTHS] for row in rows], dtype=np.float64),
        "feature_names": list(MONTHS),
        "target": np.array([row["Year"] for row in rows], dtype=np.float64),
        "location": location,
        "unit_vectors": unit_vectors(location),
        "metadata": {
            "city": np.array(city),
            "country": np.array(country),
            "latitude": location[:, 0],
            "longitude": location[:, 1],
        },
    }


def load_torsions(entry: DataSet) -> dict[str, Any]:
    """Return angles on a torus."""
    lines = fetch(entry.files[0]).read_text(encoding="utf-8").splitlines()
    structure, residue, *angles = zip(*(line.split("\t") for line in lines), strict=True)
    degrees = np.array(angles, dtype=np.float64).T
    nucleotides, target = np.unique(residue, return_inverse=True)
    return {
        "X": np.radians(degrees),
        "feature_names": list(TORSION_NAMES),
        "target": target,
        "target_names": nucleotides,
        "degrees": degrees,
        "metadata": {"structure": np.array(structure)},
    }


def load_branching_diffusion(entry: DataSet) -> dict[str, Any]:
    """Return the points of a branching process with the place of each in the tree."""
    with np.load(fetch(entry.files[0]), allow_pickle=False) as arrays:
        points, labels = arrays["t0"], arrays["t1"].astype(np.int64)
    path = np.maximum(labels[:, :-1], 0)
    depth = (path > 0).sum(axis=1)
    node = np.zeros(len(path), dtype=np.int64)
    for branch in path.T:
        node = np.where(branch > 0, 2 * node + branch, node)
    return {
        "X": points,
        "feature_names": [f"x{column}" for column in range(points.shape[1])],
        "target": depth,
        "target_names": np.array([f"depth {level}" for level in range(depth.max() + 1)]),
        "path": path,
        "node": node,
        "metadata": {"node": np.array([f"node {number}" for number in node])},
    }


def load_air_quality(entry: DataSet, complete: bool) -> dict[str, Any]:
    """Return hourly sensor readings, NaN where there is none, or only the hours without a gap."""
    lines = fetch(entry.files[0]).read_text(encoding="utf-8").splitlines()
    header, *rows = (line.removesuffix(";;").split(";") for line in lines if line.strip(";"))
    dates = [f"{row[0][6:]}-{row[0][3:5]}-{row[0][:2]}T{row[1].replace('.', ':')}" for row in rows]
    time = np.array(dates, dtype="datetime64[s]")
    values = np.array([[cell.replace(",", ".") for cell in row[2:]] for row in rows], dtype=np.float64)
    values[values == MISSING] = np.nan
    kept = np.isfinite(values).all(axis=1) if complete else np.ones(len(values), dtype=bool)
    return {
        "X": values[kept],
        "feature_names": header[2:],
        "time": time[kept],
        "metadata": {"time": np.datetime_as_string(time[kept], unit="m")},
    }


def _lines_before_numbers(path: Path) -> int:
    with open(path, encoding="utf-8") as lines:
        return next(number for number, line in enumerate(lines) if re.match(r"\s*-?\d", line))
