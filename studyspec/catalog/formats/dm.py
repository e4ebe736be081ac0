"""The format of Gatan's cameras, versions 3 and 4."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from studyspec.catalog.lengths import in_nm
from studyspec.plugins.contracts import Reader
from studyspec.plugins.values import FileArray


class DmReader(Reader):
    """Reads .dm3 and .dm4 files: the image, which comes after a thumbnail."""

    name = "dm"
    suffixes = (".dm3", ".dm4")

    def read(self, path: Path) -> tuple[FileArray, float | None]:
        """The first image, and its scale if the unit is one of length."""
        with _ncempy_dm().fileDM(path) as file:
            found = file.getDataset(0)
        scale, unit = found["pixelSize"][-1], found["pixelUnit"][-1]
        return found["data"], in_nm(float(scale), str(unit))


DM = DmReader()


@cache
def _ncempy_dm() -> ModuleType:
    """The DM reader of ncempy (MIT) by itself: importing the package runs its GPL part too."""
    package = find_spec("ncempy")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent / "io" / "dm.py"
    spec = spec_from_file_location("ncempy_io_dm", source)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
