"""Make the picture of the page on studies: ``python docs/pose_pictures.py``, with the meshes at hand.

Renders meshes in random poses, and draws the axes of these on them.
"""

from pathlib import Path

from PIL import Image

from holonomy.datasets import PinholeCamera, load, make_rendered_poses
from holonomy.studies import head_pose

MESHES = ("mesh_suzanne", "mesh_cheburashka")
ROWS, COLUMNS = 2, 6


def main() -> None:
    """Render and draw."""
    meshes = [(data.vertices, data.faces) for data in map(load, MESHES)]
    options = {"camera": PinholeCamera(size=128), "yaw": 70, "background": "black"}
    data = make_rendered_poses(meshes, ROWS * COLUMNS, random_state=1, **options)
    sheet = head_pose.pose_sheet(data.images, data.R, columns=COLUMNS)
    Image.fromarray(sheet).quantize(128).save(Path(__file__).parent / "images" / "head-poses.png", optimize=True)


if __name__ == "__main__":
    main()
