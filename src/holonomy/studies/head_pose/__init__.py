"""Which way a head is turned: labelled images in their published formats, evaluation, and axes drawn on images.

A pose is a rotation matrix from the axes of the head to those of the camera, which are x to the right of the image, y
up and z to the viewer; its columns are where the head's axes point. Published labels are yaw, pitch and roll:
`pose_from_angles` and `angles_from_pose` translate them.

Examples
--------
>>> from holonomy.studies import head_pose
>>> head_pose.pose_from_angles([30.0, 0.0, 0.0]).shape
(3, 3)
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "conventions": ["angles_from_pose", "flip_poses", "pose_from_angles"],
        "drawing": ["draw_axes", "pose_sheet"],
        "errors": ["PoseErrors", "evaluate_poses"],
        "images": ["PoseImages"],
        "loaders": ["load_300w_lp", "load_aflw2000", "load_biwi"],
        "recipes": ["reference_regressor"],
        "writers": ["save_300w_lp", "save_biwi"],
    },
)
