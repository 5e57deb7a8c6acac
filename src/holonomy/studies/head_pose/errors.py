"""How wrong predicted poses are, by the published numbers and by ones without the artefacts of Euler angles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from holonomy._core.citations import references
from holonomy._core.render import html_table, rich_table
from holonomy._core.validation import as_numpy
from holonomy.objectives import geodesic_loss
from holonomy.studies.head_pose.conventions import angles_from_pose, checked_poses

LOCKED = 85.0
"""Degrees of yaw beyond which pitch and roll are hardly to be told apart."""


@dataclass(frozen=True)
class PoseErrors:
    """Errors of predicted poses, in degrees.

    Attributes
    ----------
    n : int
        How many poses.
    yaw, pitch, roll, mae : float
        Mean absolute errors of the published angles, and the mean of the three.
    geodesic, median_geodesic : float
        Mean and median of the angle between predicted and true rotation.
    right, up, front, maev : float
        Mean angle between predicted and true axes of the head, x, y and z, and the mean of the three (MAEV).
    n_locked : int
        Poses whose true yaw is beyond 85 degrees, where errors of pitch and roll mean little.

    Examples
    --------
    >>> from holonomy.studies.head_pose import PoseErrors, evaluate_poses, pose_from_angles
    >>> errors = evaluate_poses(pose_from_angles([[33.0, 0.0, 0.0]]), pose_from_angles([[30.0, 0.0, 0.0]]))
    >>> isinstance(errors, PoseErrors), errors.n, errors.n_locked
    (True, 1, 0)
    """

    n: int
    yaw: float
    pitch: float
    roll: float
    mae: float
    geodesic: float
    median_geodesic: float
    right: float
    up: float
    front: float
    maev: float
    n_locked: int

    def _facts(self) -> dict[str, str]:
        angles = f"{self.yaw:.2f} / {self.pitch:.2f} / {self.roll:.2f}"
        axes = f"{self.right:.2f} / {self.up:.2f} / {self.front:.2f}"
        return {
            "yaw / pitch / roll": f"{angles}, mean {self.mae:.2f}",
            "angle between rotations": f"{self.geodesic:.2f}, median {self.median_geodesic:.2f}",
            "axes x / y / z": f"{axes}, mean {self.maev:.2f}",
            "poses": f"{self.n:,}, {self.n_locked:,} of them with a yaw beyond {LOCKED:g}",
        }

    def _repr_html_(self) -> str:
        return html_table("Errors of poses, degrees", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Errors of poses, degrees", self._facts())


@references("hempel2022sixd", "cao2021vector")
def evaluate_poses(predicted: Any, true: Any, *, angles: Any = None, folded: bool = False) -> PoseErrors:
    """Compare predicted with true poses.

    Parameters
    ----------
    predicted, true : array-like of shape (n, 3, 3)
        Poses, from the head's axes to the camera's.
    angles : array-like of shape (n, 3), optional
        Yaw, pitch and roll in degrees of the labels, which the errors of angles are taken against; those of ``true`` by
        default. They differ where a label has a yaw beyond 90 degrees.
    folded : bool, default False
        Whether an error of an angle counts as its distance to the nearest multiple of 180 degrees, as in the published
        program, instead of 360. It hides errors of half a turn.

    Returns
    -------
    PoseErrors

    Raises
    ------
    ValueError
        If shapes do not fit, or a matrix is no rotation; its index is named.

    Examples
    --------
    >>> from holonomy.studies.head_pose import evaluate_poses, pose_from_angles
    >>> errors = evaluate_poses(pose_from_angles([[33.0, 0.0, 0.0]]), pose_from_angles([[30.0, 0.0, 0.0]]))
    >>> round(errors.yaw, 6), round(errors.mae, 6), round(errors.geodesic, 6), round(errors.maev, 6)
    (3.0, 1.0, 3.0, 2.0)
    """
    ours, theirs = checked_poses(predicted, "predicted"), checked_poses(true, "true")
    if ours.ndim != 3 or ours.shape != theirs.shape or not len(ours):
        raise ValueError(
            "predicted and true must have the same shape (n, 3, 3) with n >= 1, got "
            f"{tuple(ours.shape)} and {tuple(theirs.shape)}."
        )
    labels = angles_from_pose(theirs) if angles is None else np.asarray(as_numpy(angles), dtype=np.float64)
    if labels.shape != (len(ours), 3):
        raise ValueError(f"angles must have shape ({len(ours)}, 3), got {labels.shape}.")
    turn = 180.0 if folded else 360.0
    apart = np.abs(angles_from_pose(ours) - labels) % turn
    yaw, pitch, roll = np.minimum(apart, turn - apart).mean(axis=0).tolist()
    geodesic = torch.rad2deg(geodesic_loss(ours, theirs, "none"))
    # The angle between unit vectors, precise for small ones too.
    between = torch.rad2deg(2.0 * torch.atan2((ours - theirs).norm(dim=-2), (ours + theirs).norm(dim=-2)))
    right, up, front = between.mean(0).tolist()
    return PoseErrors(
        n=len(ours),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        mae=(yaw + pitch + roll) / 3.0,
        geodesic=float(geodesic.mean()),
        median_geodesic=float(geodesic.median()),
        right=right,
        up=up,
        front=front,
        maev=(right + up + front) / 3.0,
        n_locked=int((np.abs(labels[:, 0]) > LOCKED).sum()),
    )
