"""Writes .dm3 and .dm4 files as Gatan's software does, for tests that read real camera files.

A file is a tree of tags: named groups, lists, and values of a few types, big-endian around
little-endian data. A thumbnail comes first, as in real files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ELEMENT = {"int16": 2, "int32": 3, "uint16": 4, "uint32": 5, "float32": 6, "uint8": 10}
DATA_TYPE = {"int16": 1, "int32": 7, "uint16": 10, "uint32": 11, "float32": 2, "uint8": 6}
RGB = 23
GROUP, DATA, ARRAY, TEXT = 20, 21, 20, 4


@dataclass(frozen=True)
class DmWriter:
    """Writes one version of the format; 3 has 32-bit sizes, 4 has 64-bit ones."""

    version: int

    def number(self, *values: int) -> bytes:
        """Sizes and counts."""
        return struct.pack(f">{len(values)}{'Q' if self.version == 4 else 'I'}", *values)

    def group(self, items: Mapping[str, Any] | Sequence[Any]) -> bytes:
        """A named or unnamed group of tags."""
        named = isinstance(items, Mapping)
        pairs = list(items.items()) if isinstance(items, Mapping) else [("", v) for v in items]
        head = struct.pack(">BB", named, 0) + self.number(len(pairs))
        return head + b"".join(self._tags(pairs))

    def _tags(self, pairs: Sequence[tuple[str, Any]]) -> Iterator[bytes]:
        for name, value in pairs:
            is_group = isinstance(value, Mapping | list)
            body = self.group(value) if is_group else self._value(value)
            yield struct.pack(">BH", GROUP if is_group else DATA, len(name)) + name.encode()
            if self.version == 4:
                yield struct.pack(">Q", len(body))
            yield body

    def _value(self, value: Any) -> bytes:
        if isinstance(value, np.ndarray):
            info = (ARRAY, ELEMENT[value.dtype.name], value.size)
            return self._data(info, np.ascontiguousarray(value).astype("<" + value.dtype.str[1:]))
        if isinstance(value, str):
            return self._data((ARRAY, TEXT, len(value)), value.encode("utf-16-le"))
        if isinstance(value, float):
            return self._data((6,), struct.pack("<f", value))
        return self._data((5,), struct.pack("<I", value))

    def _data(self, info: Sequence[int], payload: bytes | npt.NDArray[Any]) -> bytes:
        return b"%%%%" + self.number(len(info), *info) + bytes(payload)


def write_dm(
    path: Path, pixels: npt.NDArray[Any], pixel_scale_nm: float, unit: str = "nm", version: int = 3
) -> Path:
    """Write an image of shape (H, W) with a thumbnail before it."""
    step = max(1, max(pixels.shape) // 64)
    small = np.zeros_like(pixels[::step, ::step], np.uint32)
    images = [_image(small, 1.0, "", RGB), _image(pixels, pixel_scale_nm, unit, None)]
    root = {
        "DocumentObjectList": [{"ImageDisplayType": 1, "ImageSource": 0}],
        "ImageList": images,
        "InImageMode": 1,
    }
    writer = DmWriter(version)
    body = writer.group(root)
    head = struct.pack(">I", version) + writer.number(len(body)) + struct.pack(">I", 1)
    path.write_bytes(head + body + bytes(8))
    return path


def _image(pixels: npt.NDArray[Any], scale: float, unit: str, kind: int | None) -> dict[str, Any]:
    axis = {"Origin": 0.0, "Scale": float(scale), "Units": unit}
    data = {
        "Calibrations": {
            "Brightness": {"Origin": 0.0, "Scale": 1.0, "Units": ""},
            "Dimension": [dict(axis), dict(axis)],
        },
        "Data": pixels,
        "DataType": DATA_TYPE[pixels.dtype.name] if kind is None else kind,
        "Dimensions": [pixels.shape[1], pixels.shape[0]],
        "PixelDepth": pixels.dtype.itemsize,
    }
    return {"ImageData": data, "Name": "fixture", "ImageTags": {"Created": "3.43"}}
