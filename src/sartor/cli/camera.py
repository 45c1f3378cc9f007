"""`sartor camera`: serve the camera app on this computer."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from .report import fail

__all__ = ["camera"]


def camera(
    host: Annotated[
        str,
        typer.Option(help="Name or address to listen at; 0.0.0.0 lets other devices connect."),
    ] = "localhost",
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", min=0, max=65535)] = 8000,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Certificate (PEM) for https, which a phone needs.", metavar="FILE"),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Private key of the certificate.", metavar="FILE")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Only write the site into this new folder, for a static host.", metavar="DIR"
        ),
    ] = None,
    app: Annotated[
        Path | None,
        typer.Option(help="Folder of the built app. Default: that of Sartor.", metavar="DIR"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Train in the browser, on photos of the camera."""
    from ..camera import APP_FOLDER, CameraServer, load_site

    if key is not None and certificate is None:
        fail("--key needs --certificate")
    site = load_site(app or APP_FOLDER)
    if out is not None:
        typer.echo(site.save(out))
        return
    try:
        server = CameraServer(site, host, port, certificate, key)
    except OSError as error:
        fail(f"cannot serve at {host}, port {port}: {error}. Choose another --host or --port")
    typer.echo(f"The camera app is at {server.url}\nPhotos stay in the browser. Ctrl-C ends it.")
    if browser:
        webbrowser.open(server.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("The server has ended. Samples stay in the browser.")
    finally:
        server.server_close()
