"""The server of the camera app, its files, and its messages."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run

from sartor.camera import APP_FOLDER, CameraServer, Site, load_site
from sartor.errors import SartorError
from sartor.flatbuffer import read

CERTIFICATE = Path(__file__).parent / "localhost.pem"
SITE = Site({"index.html": b"page", "a/b.wasm": b"\0asm"})


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return a folder like that of the built app."""
    folder = tmp_path / "app"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "assets" / "app.wasm").write_bytes(b"\0asm")
    return folder


@contextlib.contextmanager
def running(server: CameraServer) -> Iterator[CameraServer]:
    """Serve until the context ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[CameraServer]:
    with running(CameraServer(SITE, port=0)) as server:
        yield server


@pytest.fixture
def secure_server() -> Iterator[CameraServer]:
    with running(CameraServer(SITE, port=0, certificate=CERTIFICATE)) as server:
        yield server


def get_securely(server: CameraServer) -> bytes:
    """Return the page of a server with the certificate of the tests."""
    context = ssl.create_default_context(cafile=CERTIFICATE)
    with urllib.request.urlopen(server.url, timeout=60, context=context) as response:
        content: bytes = response.read()
        return content


def test_page_is_isolated_and_may_use_threads(server: CameraServer) -> None:
    with urllib.request.urlopen(server.url) as response:
        assert response.read() == b"page"
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_files_have_the_types_that_browsers_require(server: CameraServer) -> None:
    with urllib.request.urlopen(f"{server.url}a/b.wasm?v=1") as response:
        assert response.read() == b"\0asm"
        assert response.headers["Content-Type"] == "application/wasm"


@pytest.mark.parametrize("path", ["missing", "../pyproject.toml", "%2e%2e/setup", "//etc/passwd"])
def test_nothing_but_the_files_of_the_site_is_served(server: CameraServer, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(server.url + path)


def test_head_sends_no_content(server: CameraServer) -> None:
    request = urllib.request.Request(server.url, method="HEAD")
    with urllib.request.urlopen(request) as response:
        assert response.headers["Content-Length"] == "4"
        assert response.read() == b""


def test_page_is_served_with_a_certificate(secure_server: CameraServer) -> None:
    assert secure_server.url.startswith("https://localhost:")
    assert get_securely(secure_server) == b"page"


def test_silent_client_does_not_block_others(secure_server: CameraServer) -> None:
    # The server accepts connections in their order, so that it has accepted the silent one first.
    with socket.create_connection(("localhost", secure_server.server_port)):
        assert get_securely(secure_server) == b"page"


def test_client_without_https_is_disconnected_quietly(
    secure_server: CameraServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("localhost", secure_server.server_port), 60) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while client.recv(1024):
            pass
    assert get_securely(secure_server) == b"page"
    assert capsys.readouterr().err == ""


def test_certificate_is_read_before_the_port_is_opened(server: CameraServer) -> None:
    # The port is in use: an error about it would come first if the port were opened first.
    with pytest.raises(SartorError, match=r"missing\.pem.*--certificate"):
        CameraServer(SITE, port=server.server_port, certificate=Path("missing.pem"))


def test_certificate_without_a_key_is_named(run: Run, app: Path, tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(CERTIFICATE.read_text().split("-----BEGIN PRIVATE KEY")[0])
    error = run("camera", "--app", app, "--certificate", certificate).error
    assert "certificate.pem" in error
    assert "--key" in error


def test_site_contains_bases_that_the_app_lists(app: Path) -> None:
    site = load_site(app, sizes=(128, 96))
    listed = json.loads(site.content("bases/bases.json") or b"")
    assert [each["name"] for each in listed] == [
        "Starter, 128 x 128 pixels",
        "Starter, 96 x 96 pixels",
    ]
    content = site.content("bases/" + listed[0]["file"].split("?")[0])
    assert content is not None
    assert read(content).graphs
    assert site.content("") == b"<!doctype html>"
    assert site.content("assets/app.wasm") == b"\0asm"


def test_site_is_written_for_a_static_host(run: Run, app: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    assert run("camera", "--app", app, "--out", out).out == f"{out}\n"
    assert (out / "index.html").read_text() == "<!doctype html>"
    assert (out / "bases" / "starter-224.tflite").is_file()
    assert "exists" in run("camera", "--app", app, "--out", out).error


def test_message_explains_how_to_build_the_app(run: Run, tmp_path: Path) -> None:
    error = run("camera", "--app", tmp_path / "missing").error
    assert "not built" in error
    assert "npm run build" in error


def test_key_needs_a_certificate(run: Run) -> None:
    assert "--certificate" in run("camera", "--key", "key.pem").error


def test_port_in_use_is_named(run: Run, app: Path, server: CameraServer) -> None:
    port = server.server_port
    error = run("camera", "--app", app, "--port", port, "--no-browser").error
    assert str(port) in error
    assert "--port" in error


def test_app_folder_is_inside_the_package() -> None:
    assert APP_FOLDER.parent.name == "camera"
