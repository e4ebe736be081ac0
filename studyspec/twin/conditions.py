"""Conditions: what of a catalog row decides a simulated image, and so its identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from studyspec.catalog.row import ImageRow
from studyspec.errors import TwinError
from studyspec.spec import recipes
from studyspec.spec.identity import digest
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.film import SUPPORTS
from studyspec.twin.materials import CRYSTALS

SCHEME = "twin:"


@dataclass(frozen=True)
class Conditions:
    """The physical columns of a row, its seed and its size; field names carry the units."""

    material: str
    diameter_nm: float
    support: str
    voltage_kv: float
    pixel_scale_nm: float
    dose_e_per_A2: float
    session: str
    width_px: int
    height_px: int
    seed: int

    @classmethod
    def from_row(cls, row: ImageRow) -> Conditions:
        """The conditions of a twin row.

        Raises
        ------
        TwinError
            Naming the row and the column that is missing, unknown or not positive.
        """
        values: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            if name == "seed":
                continue
            values[name] = getattr(row, name)
            if values[name] is None:
                raise TwinError(
                    f"'{name}' is missing", where=row.image_id, hint="the twin needs it"
                )
            if isinstance(values[name], int | float) and values[name] <= 0:
                raise TwinError(f"'{name}' is {values[name]}", where=row.image_id, hint="use > 0")
        for name, known in (("material", tuple(CRYSTALS)), ("support", SUPPORTS)):
            if values[name] not in known:
                raise TwinError(
                    f"the twin knows no {name} '{values[name]}'",
                    where=row.image_id,
                    hint=f"known: {', '.join(known)}",
                )
        if values["width_px"] != values["height_px"]:
            raise TwinError("the twin makes square images", where=row.image_id)
        return cls(**values, seed=_seed(row))

    def recipe(self) -> dict[str, Any]:
        """All that decides the image, as JSON values."""
        return {
            "twin": recipes.TWIN,
            "conditions": asdict(self),
            "constants": CONSTANTS.to_json(),
        }

    def image_hash(self) -> str:
        """Identity of the image: the digest of its recipe, not of its bytes."""
        return digest(self.recipe())

    def label_hash(self, label: Literal["drawn", "exact"]) -> str:
        """Identity of one of its labels."""
        return digest({**self.recipe(), "label": label})


def _seed(row: ImageRow) -> int:
    number = row.image_uri.removeprefix(SCHEME)
    if not row.image_uri.startswith(SCHEME) or not number.isdecimal():
        raise TwinError(
            f"'{row.image_uri}' names no twin image", where=row.image_id, hint="expected twin:SEED"
        )
    return int(number)
