"""The camera app: its built files, its bases, and a server on this computer.

The app itself is `web/app`; its build is in the folder `dist` of this package. It trains in the
browser, so the server only serves files.
"""

from .server import CameraServer
from .site import APP_FOLDER, Site, load_site

__all__ = ["APP_FOLDER", "CameraServer", "Site", "load_site"]
