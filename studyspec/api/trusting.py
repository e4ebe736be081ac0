"""Trust: which dice to expect on images without labels, and what to label or simulate next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studyspec.api.found import FOLDERS, find
from studyspec.api.workplace import HERE, AnyPath, Paths, Workplace, several
from studyspec.catalog.metadata import metadata_rows
from studyspec.catalog.readers import suffixes
from studyspec.errors import FileError, NothingThere
from studyspec.learn.networks import SUFFIXES
from studyspec.store.ingest import ingest
from studyspec.trust import saved
from studyspec.trust.conditions import Conditions
from studyspec.trust.evidence import Asked
from studyspec.trust.judging import Judged
from studyspec.trust.known import Store
from studyspec.trust.learning import OnStep, knowledge, learn, nobody
from studyspec.trust.next import Proposal
from studyspec.trust.saved import Learnt
from studyspec.trust.validation import Validation

if TYPE_CHECKING:
    from studyspec.store.folder import Results

__all__ = ["FOLDERS", "Conditions", "Judged", "Learnt", "Proposal", "Trusted", "Validation"]

THRESHOLD = 0.7
LABELS = ("_label", "_mask", "_labels")
"""Files named so are labels, which are left alone in a folder of images."""


@dataclass(frozen=True)
class Trusted:
    """What to expect of networks on images, the most doubtful first.

    Attributes
    ----------
    rows
        A row for each network and image.
    threshold
        The dice that is wanted.
    learnt_from
        From what this is known, in words.
    validation
        How well dice of conditions that were held out are foretold; None where there are too few.
    """

    rows: tuple[Judged, ...]
    threshold: float
    learnt_from: str
    validation: Validation | None

    @property
    def below(self) -> tuple[Path, ...]:
        """The images that no network is expected to reach the threshold on."""
        best: dict[Path, float] = {}
        for one in self.rows:
            best[one.image] = max(best.get(one.image, 0.0), one.expected.dice)
        return tuple(image for image, dice in best.items() if dice < self.threshold)


def trust(
    networks: Paths,
    images: Paths,
    workplace: Workplace = HERE,
    *,
    known: Conditions | None = None,
    metadata: AnyPath | None = None,
    threshold: float = THRESHOLD,
    page: AnyPath | None = None,
    folders: Paths = FOLDERS,
    learn_anew: bool = True,
    device: str = "cpu",
    on_judged: Callable[[Judged], None] = lambda judged: None,
    on_step: OnStep = nobody,
) -> Trusted:
    """Say which dice to expect of networks on images without labels, and why.

    Parameters
    ----------
    networks
        As `find` takes them: files, folders, names, hashes.
    images
        Image files, or folders of them.
    workplace
        Where results are, from which is learnt beside what is shipped.
    known
        How the images were taken, as far as headers and `metadata` do not say.
    metadata
        A CSV with the column `image` and any columns of a catalog.
    threshold
        The dice that is wanted.
    page
        Where to write an HTML page, sorted by doubt.
    folders
        Where released networks lie.
    learn_anew
        Whether to learn from a store that has grown; this takes a while for each new test.
    device
        "cpu", "cuda:0", ...
    on_judged, on_step
        Are told of each result, and of learning where the store has grown.

    Raises
    ------
    LearnError, FileError, ScaleUnknown, PluginError, NothingThere
        Naming the file.
    """
    from studyspec.trust.judging import judge

    files = find(networks, workplace, folders)
    asked = _asked(_images(images), known or Conditions(), metadata)
    wisdom = knowledge(_results(workplace), device, on_step, learn_anew)
    rows = judge(files, asked, wisdom, device, on_judged)
    found = Trusted(rows, threshold, wisdom.told, wisdom.validation)
    if page is not None:
        from studyspec.report.trust import write

        write(found.rows, wisdom.examples, threshold, wisdom.told, wisdom.validation, Path(page))
    return found


def proposals(
    n: int, workplace: Workplace = HERE, device: str = "cpu", on_step: OnStep = nobody
) -> tuple[Proposal, ...]:
    """The conditions whose images, labelled or simulated, would narrow expectations the most.

    Raises
    ------
    StoreError, PluginError
        If there is nothing to learn from.
    """
    from studyspec.trust.next import propose

    return propose(knowledge(_results(workplace), device, on_step).examples, n)


def relearn(
    output: AnyPath,
    workplace: Workplace = HERE,
    images: int = saved.EVERY,
    device: str = "cpu",
    on_step: OnStep = nobody,
) -> Learnt:
    """Learn from a store and write a file of it, as the one that is shipped.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    results = _results(workplace)
    if results is None:
        raise NothingThere("no results to learn from", hint="studyspec run makes them")
    learnt = learn(Store.read(results), images, device, on_step)
    saved.write(learnt, Path(output))
    return learnt


def shipped() -> Learnt:
    """What was learnt from the studies that come with this package."""
    return saved.shipped()


def split(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Networks and images of one list: whatever is no image file and no folder of them."""
    images = [path for path in paths if _is_image(path)]
    return [path for path in paths if path not in images], images


def row_json(one: Judged) -> dict[str, object]:
    """A result as JSON."""
    expected = one.expected
    return {
        "image": str(one.image),
        "network": one.network,
        "network_sha256": one.network_sha256,
        "trained_on": one.trained_on,
        "conditions": one.conditions.written(),
        "expected_dice": round(expected.dice, 4),
        "low": round(expected.low, 4),
        "high": round(expected.high, 4),
        "outside": list(expected.outside),
        "reasons": list(one.reasons),
        "notes": list(one.notes),
        "baselines": {
            "nearest_condition": None if expected.nearest is None else round(expected.nearest, 4),
            "confidence_alone": round(expected.confidence, 4),
        },
        "predictors": one.predictors,
    }


def _results(workplace: Workplace) -> Results | None:
    results = workplace.results_of(Path())
    if not results.records.exists():
        return None
    ingest(results)
    return results


def _is_image(path: str) -> bool:
    place = Path(path)
    if place.is_dir():
        return any(True for _ in _within(place)) and not any(
            file.suffix in SUFFIXES for file in place.iterdir()
        )
    return path.lower().endswith(suffixes())


def _images(paths: Paths) -> list[Path]:
    found = []
    for path in map(Path, several(paths)):
        found += list(_within(path)) if path.is_dir() else [path]
    if not found:
        raise NothingThere("no image was named", hint="name image files, or a folder of them")
    return found


def _within(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.lower().endswith(suffixes()) and not path.stem.endswith(LABELS):
            yield path


def _asked(images: Sequence[Path], known: Conditions, metadata: AnyPath | None) -> list[Asked]:
    rows: Mapping[str, Mapping[str, object]] = {}
    if metadata is not None:
        rows = metadata_rows(Path(metadata))
        if not any(_row_of(image, rows) is not None for image in images):
            raise FileError("it names none of the images", where=str(metadata))
    return [Asked(image, _merged(known, _row_of(image, rows))) for image in images]


def _row_of(image: Path, rows: Mapping[str, Mapping[str, object]]) -> Mapping[str, object] | None:
    return rows.get(str(image)) or rows.get(image.name)


def _merged(known: Conditions, row: Mapping[str, object] | None) -> Conditions:
    """What the options say, where the CSV says nothing."""
    told = Conditions.of(row or {}).written()
    return replace(known, **told)  # type: ignore[arg-type]
