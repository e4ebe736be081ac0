"""Networks by what people call them: a file, a released name, what they were trained on, a hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from studyspec.api.workplace import HERE, RESULTS, AnyPath, Paths, Workplace, several
from studyspec.errors import LearnError
from studyspec.learn.conditions import Conditions
from studyspec.learn.networks import SUFFIXES, WEIGHTS, NetworkFile, identify
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.uses import Pipeline
from studyspec.spec.wording import nearest
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.networks import KnownNetwork, known_networks, with_rows

FOLDERS = ("networks", ".")
"""Where released networks are looked for, unless another folder is named."""


def find(
    networks: Paths, workplace: Workplace = HERE, folders: Paths = FOLDERS
) -> tuple[NetworkFile, ...]:
    """The networks of these names, each once, with what they were trained on.

    Parameters
    ----------
    networks
        Files (.safetensors, .pt, .onnx) or folders of them; names of released networks, or the
        beginning of one; what they were trained on, as "material/Au/0" or, for all folds,
        "material/Au"; hashes, or six characters of one.
    workplace
        Where results are; default: `results/` here.
    folders
        Where released networks lie.

    Raises
    ------
    LearnError
        If one is not found, it says what there is; if one is code that nobody said to run.
    """
    results = workplace.results_of(Path())
    if results.records.exists():
        ingest(results)
    known = known_networks(results)
    places = [Path(folder) for folder in several(folders)]
    found: dict[str, NetworkFile] = {}
    for asked in several(networks):
        for network in _Search(str(asked), results, known, places, workplace.trust).all():
            found.setdefault(network.sha256, network)
    return tuple(found.values())


def known(results: AnyPath = RESULTS) -> tuple[KnownNetwork, ...]:
    """The networks that studies trained, by name; nothing if there are no results."""
    place = Results(Path(results).absolute())
    if place.records.exists():
        ingest(place)
    return known_networks(place)


def known_files(results: AnyPath = RESULTS) -> Iterator[tuple[KnownNetwork, str, Path | None]]:
    """The networks that studies trained, what each was trained on in words, and its file."""
    place = Results(Path(results).absolute())
    for one in with_rows(place, known(results)):
        path = place.network(one.sha256)
        there = path.exists()
        words = _of_store(one, place).conditions.words if there else ""
        yield one, words, path if there else None


@dataclass(frozen=True)
class _Search:
    """One name, and where it may lead."""

    asked: str
    results: Results
    known: Sequence[KnownNetwork]
    folders: Sequence[Path]
    trust: bool

    def all(self) -> list[NetworkFile]:
        path = Path(self.asked)
        if path.is_file():
            return [self._of_file(path)]
        if path.is_dir() and (files := sorted(networks_in(path))):
            return [self._of_file(file) for file in files]
        if met := [named for one in self.known if (named := one.called(self.asked))]:
            return [_of_store(one, self.results) for one in with_rows(self.results, met)]
        if released := sorted(set(self._released())):
            return [self._of_file(file) for file in released]
        raise self._lost()

    def _of_file(self, path: Path) -> NetworkFile:
        """A file; if it is of a results folder, as that knows it."""
        network = _identified(path.stem, path, self.trust)
        home = self.results
        if path.absolute().parent.match("artifacts/networks"):
            home = Results(path.absolute().parents[2])
        mine = self.known if home == self.results else known_networks(home)
        met = [one for one in mine if one.sha256 == network.sha256]
        return _of_store(with_rows(home, met[:1])[0], home) if met else network

    def _released(self) -> Iterator[Path]:
        """Files whose name is, or begins with, what was asked; `UNet_` may be left out."""
        for folder in self.folders:
            for file in networks_in(folder):
                if file.stem.removeprefix("UNet_").startswith(self.asked.removeprefix("UNet_")):
                    yield file

    def _lost(self) -> LearnError:
        path = Path(self.asked)
        if path.suffix in SUFFIXES:
            return LearnError("no such network", where=self.asked, hint="is the path right?")
        files = [f.stem for folder in self.folders for f in networks_in(folder)]
        names = [name for one in self.known for name in one.names]
        there = sorted({name.rpartition("/")[0] for name in names} | set(files))
        close = nearest(self.asked, [*names, *there]).partition("expected")[0].strip()
        known = f"there are {', '.join(there[:6])}" if there else "there are none here"
        more = ", ..." if len(there) > 6 else ""
        hint = f"{close} {known}{more}; or name a file, or its folder by --networks".strip()
        return LearnError(f"no network '{self.asked}'", hint=hint)


def networks_in(folder: Path) -> Iterable[Path]:
    """The files of networks in a folder; none if there is no such folder."""
    if not folder.is_dir():
        return ()
    return (p for p in folder.iterdir() if p.suffix in SUFFIXES and p.is_file())


def _identified(name: str, path: Path, trust: bool = False) -> NetworkFile:
    return identify(name, ForeignNetwork(weights=str(path.absolute())), Path("/"), trust)


def _of_store(known: KnownNetwork, results: Results) -> NetworkFile:
    """A network that a study trained, called by what it was trained on.

    Raises
    ------
    LearnError
        If its weights were deleted.
    """
    path = results.network(known.sha256)
    if not path.exists():
        raise LearnError(
            f"the weights of {known.name} are not here",
            where=str(path),
            hint=f"run the study '{known.study}' again: it makes them anew",
        )
    network = _identified(known.name, path)
    if network.conditions != Conditions() or network.file is None or path.suffix != WEIGHTS:
        return network
    pipeline = network.pipeline or Pipeline(steps=())
    told = Conditions.of(known.rows, pipeline)
    return network.model_copy(update={"conditions": told})
