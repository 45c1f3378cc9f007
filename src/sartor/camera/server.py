"""The server of the camera app."""

from __future__ import annotations

import mimetypes
import ssl
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import SartorError
from .site import Site

__all__ = ["CameraServer"]

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".tflite": "application/octet-stream",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
"""Ending → type. The table of the system may lack these."""

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Headers of each answer. The first two give the page several threads; the page has its own content
security policy."""

_TIMEOUT = 60.0
"""Seconds after which a silent client is disconnected."""


class CameraServer(ThreadingHTTPServer):
    """A server of the app. `serve_forever` runs it.

    Attributes:
        site: files of the app.
        url: address of the page.
    """

    daemon_threads = True

    def __init__(
        self,
        site: Site,
        host: str = "localhost",
        port: int = 8000,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """Open the port.

        Args:
            site: files of the app.
            host: name or address at which to listen; 0.0.0.0 for all.
            port: port; 0 for a free one.
            certificate: file of the certificate, in PEM format, for https. Default: http.
            key: file of its private key. Default: the certificate's file contains it.

        Raises:
            OSError: If the port is in use.
            SartorError: If the certificate or its key cannot be read.
        """
        context = None if certificate is None else _load_certificate(certificate, key)
        super().__init__((host, port), _Handler)
        self.site = site
        if context is not None:
            # The thread of each client does the handshake, so that none blocks the others.
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://{host}:{self.server_port}/"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Do the handshake of a client, and answer its requests; runs in a thread of its own."""
        request.settimeout(_TIMEOUT)
        if isinstance(request, ssl.SSLSocket):
            try:
                request.do_handshake()
            except OSError:
                return  # silent, not https, or it refuses the certificate
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print errors, except that a client has disconnected."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ssl.SSLError)):
            super().handle_error(request, client_address)


def _load_certificate(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        files = f"{certificate}" if key is None else f"{certificate} with the key {key}"
        raise SartorError(
            f"cannot use the certificate {files}: {error}. Give --certificate a certificate and "
            "--key its private key, in PEM format; one file may contain both"
        ) from error
    return context


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with the files of the site."""

    server: CameraServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a file."""
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        """Send the headers of a file."""
        self._answer(has_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing for a request."""

    def _answer(self, *, has_body: bool) -> None:
        url = unquote(urlsplit(self.path).path).removeprefix("/")
        content = self.server.site.content(url)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        ending = Path(url or "index.html").suffix
        kind = _TYPES.get(ending) or mimetypes.types_map.get(ending, "application/octet-stream")
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if has_body:
            self.wfile.write(content)
