"""The photos of the demo: files in the wheels of scikit-image and scikit-learn.

The demo downloads nothing and imports neither package; it opens the files. Sartor itself contains
none of them. Those of scikit-image are in the public domain, under CC0, or have no
known copyright restrictions; scikit-learn's two are under CC BY 2.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import PIL.Image

from ..errors import DataError

__all__ = ["NEW", "PHOTOS", "TABLES", "Photo", "open_photo"]

_IMAGE, _LEARN = "skimage/data", "sklearn/datasets/images"
_PACKAGES = {"skimage": "scikit-image", "sklearn": "scikit-learn"}


@dataclass(frozen=True)
class Photo:
    """A photo inside a package.

    Attributes:
        label: name of its class.
        folder: folder of the file, starting with the package.
        file: name of the file.
        credit: author and license.
    """

    label: str
    folder: str
    file: str
    credit: str


PHOTOS = (
    Photo("astronaut", _IMAGE, "astronaut.png", "NASA, public domain"),
    Photo("coffee", _IMAGE, "coffee.png", "Rachel Michetti, CC0"),
    Photo("coins", _IMAGE, "coins.png", "Brooklyn Museum, no known copyright restrictions"),
    Photo("dahlia", _LEARN, "flower.jpg", "vultilion on Flickr, CC BY 2.0"),
    Photo("eye", _IMAGE, "retina.jpg", "Mikael Häggström, CC0"),
    Photo("pagoda", _LEARN, "china.jpg", "danielbuechele on Flickr, CC BY 2.0"),
    Photo("photographer", _IMAGE, "camera.png", "Lav Varshney, CC0"),
    Photo("rocket", _IMAGE, "rocket.jpg", "SpaceX, public domain"),
    Photo("stars", _IMAGE, "hubble_deep_field.jpg", "NASA, public domain"),
)
"""One photo per class."""

NEW = Photo("cat", _IMAGE, "chelsea.png", "Stéfan van der Walt, CC0")
"""The class that is added later."""

TABLES = (
    Photo("bricks", _IMAGE, "brick.png", "CC0 Textures, CC0"),
    Photo("grass", _IMAGE, "grass.png", "linolafett, CC0"),
    Photo("gravel", _IMAGE, "gravel.png", "CC0 Textures, CC0"),
)
"""The tables."""


def open_photo(photo: Photo) -> PIL.Image.Image:
    """Open a photo in RGB.

    Raises:
        DataError: If its package is not installed or does not contain it.
    """
    package, _, rest = photo.folder.partition("/")
    spec = find_spec(package)  # finds a top-level package without importing it
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        path = Path(folder, rest, photo.file)
        if path.is_file():
            with PIL.Image.open(path) as image:
                rgb: PIL.Image.Image = image.convert("RGB")
                return rgb
    raise DataError(
        f"the demo uses {photo.file} from {_PACKAGES[package]}, which is not installed: "
        "pip install 'sartor[demo]', or use your own photos: sartor demo --photos FOLDER"
    )
