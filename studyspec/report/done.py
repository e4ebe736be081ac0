"""What was done in a study, from its plan: what was trained, tested, and whose. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import JsonValue, ValidationError

from studyspec.spec.sections import TrainingNumbers

if TYPE_CHECKING:
    from studyspec.catalog.row import Cell
    from studyspec.plan.record import PlanRecord

FOREIGN = "weights:"
NOT_SAID = "not said"


@dataclass(frozen=True)
class OtherNetwork:
    """A network that was trained elsewhere: its file, hash, and what the study file says of it."""

    name: str
    file: str
    sha256: str
    source: str
    licence: str

    @property
    def text(self) -> str:
        """All of it."""
        where = f"{self.file}, " if self.file else ""
        known = f"source {self.source or NOT_SAID}, licence {self.licence or NOT_SAID}"
        return f"{self.name}: {where}SHA-256 {self.sha256}, {known}"


@dataclass(frozen=True)
class Done:
    """What a plan asks for."""

    plan: PlanRecord

    @property
    def trained(self) -> bool:
        """Whether any network is trained."""
        return any(cell.fold is not None for cell in self.plan.cells)

    @property
    def tested(self) -> bool:
        """Whether any network is tested."""
        return bool(self.plan.cells)

    @cached_property
    def others(self) -> Sequence[OtherNetwork]:
        """The networks of others that are tested."""
        told = self.plan.spec.get("networks")
        known: Mapping[str, JsonValue] = told if isinstance(told, dict) else {}
        hashes = {c.train: c.network for c in self.plan.cells if c.fold is None}
        found = []
        for name, network in hashes.items():
            its = known.get(name)
            says: Mapping[str, JsonValue] = its if isinstance(its, dict) else {}
            file, source, licence = (
                str(says.get(key) or "") for key in ("weights", "source", "licence")
            )
            sha256 = network.removeprefix(FOREIGN)
            found.append(OtherNetwork(name, file, sha256, source, licence))
        return found

    @cached_property
    def images(self) -> Mapping[str, Mapping[str, Cell]]:
        """The images that are trained on, tested on or measured, with their catalog rows."""
        named = {cell.test for cell in self.plan.cells}
        named |= {cell.train for cell in self.plan.cells if cell.fold is not None}
        used = dict.fromkeys(
            image
            for name, dataset in self.plan.datasets.items()
            if name in named
            for image in dataset.images
        )
        used |= dict.fromkeys(one.image_id for one in self.plan.measurements)
        return {name: self.plan.images[name] for name in used if name in self.plan.images}

    @property
    def collections(self) -> tuple[str, ...]:
        """Where these images are from."""
        return tuple(dict.fromkeys(str(row["collection"]) for row in self.images.values()))

    def length(self, network: str) -> TrainingNumbers:
        """How long a network was trained."""
        learning = self.plan.networks.get(network, {}).get("learning")
        numbers = learning.get("training") if isinstance(learning, dict) else None
        try:
            return TrainingNumbers.model_validate(numbers or {}, strict=False)
        except ValidationError:  # of a later version
            return TrainingNumbers()
