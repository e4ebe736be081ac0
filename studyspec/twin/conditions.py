"""Conditions: what of a catalog row decides a simulated image, and so its identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal, TypeVar

from pydantic import JsonValue

from studyspec.catalog.addresses import scheme_of
from studyspec.catalog.row import ImageRow
from studyspec.catalog.twin_rows import DRAWN, EXACT, IMAGE, NOMINAL
from studyspec.errors import TwinError
from studyspec.spec.identity import digest
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.film import SUPPORTS
from studyspec.twin.knobs import Knobs
from studyspec.twin.materials import CRYSTALS, Crystal
from studyspec.twin.shapes import SHAPES
from studyspec.twin.structures import crystal_of

RECIPE = 4
"""Raised when the same conditions give another image."""
T = TypeVar("T")
N = TypeVar("N", int, float)


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
    knobs: Knobs = field(default_factory=Knobs)
    shape: str | None = None
    structure: str | None = None

    @classmethod
    def from_row(cls, row: ImageRow, uri: str | None = None) -> Conditions:
        """The conditions of a row's image, or of what another address of the twin names.

        Raises
        ------
        TwinError
            Naming the row and the column that is missing, unknown or not positive.
        """
        found = cls(
            material=_material(row),
            diameter_nm=_positive(row, "diameter_nm", row.diameter_nm),
            support=_known(row, "support", row.support, SUPPORTS),
            voltage_kv=_positive(row, "voltage_kv", row.voltage_kv),
            pixel_scale_nm=_positive(row, "pixel_scale_nm", row.pixel_scale_nm),
            dose_e_per_A2=_positive(row, "dose_e_per_A2", row.dose_e_per_A2),
            session=_there(row, "session", row.session),
            width_px=_positive(row, "width_px", row.width_px),
            height_px=_positive(row, "height_px", row.height_px),
            seed=_seed(row, row.image_uri if uri is None else uri),
            knobs=Knobs.from_row(row, _positive(row, "voltage_kv", row.voltage_kv)),
            shape=_shape(row),
            structure=row.structure,
        )
        if found.width_px != found.height_px:
            raise TwinError("the twin makes square images", where=row.image_id)
        found._check_shape(row)
        return found

    @property
    def crystal(self) -> Crystal:
        """What the particles are made of."""
        return CRYSTALS[self.material] if self.structure is None else crystal_of(self.structure)

    def recipe(self) -> dict[str, JsonValue]:
        """All that decides the image."""
        conditions = asdict(self) | self.knobs.written()
        del conditions["knobs"]
        for name in ("shape", "structure"):
            if conditions[name] is None:
                del conditions[name]
        return {"twin": RECIPE, "conditions": conditions, "constants": CONSTANTS.to_json()}

    def _check_shape(self, row: ImageRow) -> None:
        try:
            crystal = self.crystal
        except TwinError as error:
            raise TwinError(error.what, where=row.image_id, hint=error.hint) from None
        why = "" if self.shape is None else SHAPES[self.shape].impossible(crystal)
        if why:
            possible = [name for name, shape in SHAPES.items() if not shape.impossible(crystal)]
            raise TwinError(
                f"no {self.shape} of {self.material} can be: {why}",
                where=row.image_id,
                hint=f"use {', '.join(possible)}",
            )

    def image_hash(self) -> str:
        """Identity of the image: the digest of its recipe, not of its bytes."""
        return digest(self.recipe())

    def label_hash(self, label: Literal["drawn", "exact"]) -> str:
        """Identity of one of its labels."""
        return digest({**self.recipe(), "label": label})


def _there(row: ImageRow, name: str, value: T | None) -> T:
    if value is None:
        raise TwinError(f"'{name}' is missing", where=row.image_id, hint="the twin needs it")
    return value


def _positive(row: ImageRow, name: str, value: N | None) -> N:
    found = _there(row, name, value)
    if found <= 0:
        raise TwinError(f"'{name}' is {found}", where=row.image_id, hint="use > 0")
    return found


def _known(row: ImageRow, name: str, value: str | None, known: tuple[str, ...]) -> str:
    found = _there(row, name, value)
    if found not in known:
        raise TwinError(
            f"the twin knows no {name} '{found}'",
            where=row.image_id,
            hint=f"known: {', '.join(known)}",
        )
    return found


def _material(row: ImageRow) -> str:
    """One that the twin knows, or any word where the row has a structure."""
    if row.structure is not None:
        return _there(row, "material", row.material)
    return _known(row, "material", row.material, tuple(CRYSTALS))


def _shape(row: ImageRow) -> str | None:
    """A shape that is made as such; None for the mixture that published rows have."""
    if row.shape is None or row.shape in NOMINAL:
        return None
    return _known(row, "shape", row.shape, (*NOMINAL, *SHAPES))


def _seed(row: ImageRow, uri: str) -> int:
    number = uri.partition(":")[2]
    if scheme_of(uri) not in (IMAGE, DRAWN, EXACT) or not number.isdecimal():
        hint = f"expected {IMAGE}:SEED"
        raise TwinError(f"'{uri}' names no twin image", where=row.image_id, hint=hint)
    return int(number)
