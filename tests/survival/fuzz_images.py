"""Change the chunks of PNG files and the segments of JPEG files, and make images of great cost."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
from fuzz_bytes import damage

__all__ = ["image_seeds", "mutate_image"]

_SIZES = [0, 1, 2, 3, 100, 9000, 9400, 30000, 65535, 65536, 80_000_000, 2**31 - 1, 2**31, 2**32 - 1]
_BYTES = [0, 1, 2, 3, 4, 6, 8, 16, 32, 127, 128, 255]
_CHUNKS = [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"sBIT",
           b"gAMA", b"pHYs", b"IDAT", b"IEND"]  # fmt: skip


def image_seeds() -> dict[str, bytes]:
    """Return small images: name → content."""
    random = np.random.default_rng(0)
    image = PIL.Image.fromarray(random.integers(0, 256, (20, 24, 3), dtype=np.uint8))
    exif = PIL.Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "text"
    options: dict[str, tuple[str, str, dict[str, Any]]] = {
        "rgb.png": ("RGB", "PNG", {"exif": exif}),
        "gray.png": ("L", "PNG", {}),
        "palette.png": ("P", "PNG", {"transparency": 3}),
        "alpha.png": ("RGBA", "PNG", {}),
        "wide.png": ("I;16", "PNG", {}),
        "rgb.jpg": ("RGB", "JPEG", {"exif": exif}),
        "progressive.jpg": ("RGB", "JPEG", {"progressive": True}),
        "cmyk.jpg": ("CMYK", "JPEG", {}),
        "rgb.webp": ("RGBA", "WEBP", {}),
        "rgb.gif": ("P", "GIF", {"save_all": True, "append_images": [image.convert("P")]}),
        "rgb.bmp": ("RGB", "BMP", {}),
        "rgb.tiff": ("RGB", "TIFF", {"compression": "tiff_deflate"}),
    }
    seeds = {}
    for name, (mode, file_type, settings) in options.items():
        file = io.BytesIO()
        source = image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)
        source.save(file, file_type, **settings)
        seeds[name] = file.getvalue()
    return seeds


def mutate_image(name: str, content: bytes, random: np.random.Generator) -> bytes:
    """Return a changed image; `name` tells its type."""
    if random.random() < 0.15:
        return damage(content, random)
    if name.endswith(".png"):
        return _PNG_CHANGES[random.integers(len(_PNG_CHANGES))](content, random)
    if name.endswith(".jpg"):
        return _change_segment(content, random)
    return _change_word(content, random)


def _choose(random: np.random.Generator, values: list[Any]) -> Any:
    return values[random.integers(len(values))]


# --- PNG ---------------------------------------------------------------------------------------


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, position = [], 8
    while position + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, position)
        chunks.append((content[position + 4 : position + 8], content[position + 8 :][:size]))
        position += 12 + size
    return chunks


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _change_header(content: bytes, random: np.random.Generator) -> bytes:
    chunks = _chunks(content)
    header = bytearray(chunks[0][1])
    field = int(random.integers(7))
    if field < 2:
        header[4 * field : 4 * field + 4] = int(_choose(random, _SIZES)).to_bytes(4, "big")
    else:
        header[6 + field] = _choose(random, _BYTES)
    return _png([(b"IHDR", bytes(header)), *chunks[1:]])


def _change_chunks(content: bytes, random: np.random.Generator) -> bytes:
    chunks = _chunks(content)
    index = int(random.integers(1, len(chunks)))
    kind = random.choice(["remove", "repeat", "swap", "damage"])
    if kind == "remove":
        del chunks[index]
    elif kind == "repeat":
        chunks[index:index] = [chunks[index]] * int(_choose(random, [1, 2, 5000]))
    elif kind == "swap":
        chunks[index], chunks[-1] = chunks[-1], chunks[index]
    else:
        chunks[index] = chunks[index][0], damage(chunks[index][1], random)
    return _png(chunks)


def _add_chunk(content: bytes, random: np.random.Generator) -> bytes:
    """Add a chunk, whose text or profile may unpack to many times its size."""
    chunks, kind = _chunks(content), _choose(random, _CHUNKS)
    bomb = zlib.compress(bytes(int(_choose(random, [10, 10**6, 10**8]))), 9)
    bodies = {b"zTXt": b"a\0\0" + bomb, b"iTXt": b"a\0\1\0\0\0" + bomb, b"iCCP": b"a\0\0" + bomb,
              b"acTL": struct.pack(">II", int(_choose(random, _SIZES)), 0), b"IDAT": bomb,
              b"eXIf": b"MM\0*\0\0\0\x08" + random.bytes(60)}  # fmt: skip
    body = bodies.get(kind, random.bytes(int(_choose(random, [0, 1, 4, 300]))))
    count = int(_choose(random, [1, 1, 50]))
    index = int(random.integers(1, len(chunks)))
    return _png([*chunks[:index], *[(kind, body)] * count, *chunks[index:]])


def _bomb(content: bytes, random: np.random.Generator) -> bytes:
    """Return a large image of one color, which takes few bytes."""
    width, height = _choose(random, [(9400, 9400), (1, 80_000_000), (80_000_000, 1), (5000, 5000),
                                     (30000, 2900), (20000, 3000)])  # fmt: skip
    color, channels = _choose(random, [(0, 1), (2, 3), (3, 1), (4, 2), (6, 4)])
    depth = 16 if color != 3 and random.random() < 0.3 else 8
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(random.integers(2)))
    packer = zlib.compressobj(9)
    row = bytes(1 + width * channels * depth // 8)
    rows = max(1, min(height, (1 << 22) // len(row)))  # the rest of the pixels may be missing
    data = b"".join(packer.compress(row * rows) for _ in range(min(80, -(-height // rows))))
    data += packer.flush()
    palette = [(b"PLTE", bytes(768))] if color == 3 else []
    return _png([(b"IHDR", header), *palette, (b"IDAT", data), (b"IEND", b"")])


_PNG_CHANGES: list[Callable[[bytes, np.random.Generator], bytes]] = [
    _change_header, _change_header, _change_chunks, _change_chunks, _add_chunk, _bomb,
]  # fmt: skip


# --- JPEG and others ---------------------------------------------------------------------------


def _change_segment(content: bytes, random: np.random.Generator) -> bytes:
    """Change a length, a size or another field of a segment."""
    places, position = [], 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        (size,) = struct.unpack_from(">H", content, position + 2)
        places.append((position, size))
        if content[position + 1] == 0xDA:
            break
        position += 2 + size
    data = bytearray(content)
    start, size = _choose(random, places)
    kind = random.choice(["remove", "repeat", "length", "field", "size", "marker"])
    if kind == "remove":
        del data[start : start + 2 + size]
    elif kind == "repeat":
        data[start:start] = data[start : start + 2 + size] * int(_choose(random, [1, 1000]))
    elif kind == "length":
        data[start + 2 : start + 4] = struct.pack(">H", _choose(random, [0, 1, 2, 9, 65535]))
    elif kind == "marker":
        data[start + 1] = int(random.integers(0xC0, 0x100))
    elif kind == "size":
        frame = next(place for place, _ in places if data[place + 1] in (0xC0, 0xC1, 0xC2))
        sizes = struct.pack(">HH", *(min(_choose(random, _SIZES), 65535) for _ in range(2)))
        data[frame + 5 : frame + 9] = sizes
    else:
        data[start + 4 + int(random.integers(max(1, size - 2)))] = _choose(random, _BYTES)
    return bytes(data)


def _change_word(content: bytes, random: np.random.Generator) -> bytes:
    """Set two or four bytes near the start to a boundary value."""
    data = bytearray(content)
    width = int(_choose(random, [2, 4]))
    position = int(random.integers(min(len(data), 200) - width))
    value = int(_choose(random, _SIZES)) % 256**width
    data[position : position + width] = value.to_bytes(width, _choose(random, ["little", "big"]))
    return bytes(data)
