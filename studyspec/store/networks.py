"""Networks of the store: what each was trained on, by study, training set and fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from studyspec.catalog.row import ImageRow
from studyspec.store.connection import Connection
from studyspec.store.database import open_database
from studyspec.store.folder import Results

FIND = """
select name, names, study, variant, train, fold, network, weights_sha256 from networks
where name is not null order by name
"""
ROWS = """
select distinct i.columns
from stored.fold_cell c
join stored.plan_dataset d on d.plan = c.plan and d.dataset = c.train
join stored.plan_image i on i.plan = c.plan and list_contains(d.images, i.image_id)
where c.network = ?
"""


@dataclass(frozen=True)
class KnownNetwork:
    """A network that a study trained.

    Attributes
    ----------
    name, names
        "material/Au/0": its study, training set and fold, and variant and profile where it has
        any; and the same of every study that it serves.
    key, sha256
        The key of its training, and the hash of its weights.
    rows
        The images of its training set; empty where nobody asked.
    """

    name: str
    names: tuple[str, ...]
    study: str
    variant: str
    train: str
    fold: int
    key: str
    sha256: str
    rows: tuple[ImageRow, ...] = ()

    def called(self, asked: str) -> KnownNetwork | None:
        """Itself, by the name that was meant; None if what was asked means another.

        A name, the beginning of one ("material/Au"), or of a hash may be asked.
        """
        for name in self.names:
            if name == asked or name.startswith(f"{asked}/"):
                return replace(self, name=name)
        hashes = (self.sha256, self.key) if len(asked) >= LEAST_HASH else ()
        return self if any(one.startswith(asked) for one in hashes) else None


LEAST_HASH = 6
"""Characters of a hash that are enough to name a network."""


def known_networks(results: Results) -> tuple[KnownNetwork, ...]:
    """The networks of the newest plans, by name; nothing without a database."""
    if not results.database.exists():
        return ()
    with open_database(results, read_only=True) as connection:
        found = connection.execute(FIND).fetchall()
    return tuple(KnownNetwork(name, tuple(names), *rest) for name, names, *rest in found)


def with_rows(results: Results, networks: Sequence[KnownNetwork]) -> tuple[KnownNetwork, ...]:
    """The same networks with the images of their training sets."""
    if not networks:
        return ()
    with open_database(results, read_only=True) as connection:
        return tuple(replace(one, rows=_rows(connection, one.key)) for one in networks)


def seen_images(results: Results, sha256: str) -> frozenset[str]:
    """Hashes of the images that a network of the store was trained on; nothing of others."""
    known = [one for one in known_networks(results) if one.sha256 == sha256]
    rows = (row for one in with_rows(results, known[:1]) for row in one.rows)
    return frozenset(row.image_sha256 for row in rows if row.image_sha256 is not None)


def _rows(connection: Connection, key: str) -> tuple[ImageRow, ...]:
    found = connection.execute(ROWS, [key]).fetchall()
    return tuple(ImageRow.from_json(json.loads(columns)) for (columns,) in found)
