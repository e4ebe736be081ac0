from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from studyspec.catalog.readers import read_label


def test_a_label_with_a_palette_is_particle_where_it_is_not_black(tmp_path: Path) -> None:
    indices = np.zeros((8, 8), np.uint8)
    indices[2:4] = 1
    image = Image.new("P", (8, 8))
    image.putpalette([0, 0, 0, 128, 0, 0])
    image.putdata(indices.ravel().tolist())
    image.save(tmp_path / "label.png")
    assert read_label(tmp_path / "label.png").sum() == 16
