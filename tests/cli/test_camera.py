"""The server of the camera app, its files, and its messages."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run

from sartor.camera import APP_FOLDER, CameraServer, Site, load_site
from sartor.flatbuffer import read


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return a folder like that of the built app."""
    folder = tmp_path / "app"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "assets" / "app.wasm").write_bytes(b"\0asm")
    return folder


@pytest.fixture
def server() -> Iterator[CameraServer]:
    with CameraServer(Site({"index.html": b"page", "a/b.wasm": b"\0asm"}), port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


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
