"""What the numbers of a study come from: datasets and changes in words, machines, licences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue, ValidationError

from studyspec.report.described import Described, described
from studyspec.report.done import NOT_SAID, Done
from studyspec.report.frames import RunRow, StudyFrames

if TYPE_CHECKING:
    from studyspec.plan.record import PlannedDataset, PlanRecord


@dataclass(frozen=True)
class DatasetWords:
    """A dataset: its filter in words, its images and patches."""

    name: str
    filter: tuple[str, ...]
    collection: str
    label: str
    images: int
    patches: int | str


@dataclass(frozen=True)
class VariantWords:
    """A variant: the settings that it changes, and what its plug-ins say of that."""

    name: str
    settings: tuple[str, ...]
    sentences: tuple[str, ...]


def label(plan: PlanRecord) -> str:
    """The name of the study, with its profile."""
    return f"{plan.study} (profile {plan.profile})" if plan.profile else plan.study


def command(plan: PlanRecord) -> str:
    """The command that does the study again."""
    profile = f" --profile {plan.profile}" if plan.profile else ""
    return f"studyspec run {plan.file or f'studies/{plan.study}.toml'}{profile}"


def datasets(frames: StudyFrames) -> list[DatasetWords]:
    """Every dataset of a study."""
    rows = []
    for name, dataset in frames.plan.datasets.items():
        images = [frames.plan.images[image] for image in dataset.images]
        rows.append(
            DatasetWords(
                name,
                tuple(_filter(dataset)),
                ", ".join(dict.fromkeys(str(image["collection"]) for image in images)),
                dataset.label,
                len(images),
                frames.patches.get(name, "–"),
            )
        )
    return rows


def changes(plan: PlanRecord, base: Described) -> list[VariantWords]:
    """Every variant that changes anything; of a sentence only what the plain study lacks."""
    return [_variant(plan, name, base) for name, changed in plan.variants.items() if changed]


def provenance(frames: StudyFrames, packages: Sequence[str]) -> list[tuple[str, str]]:
    """Terms and texts; `packages` are the distributions of others that had a part."""
    runs, done = frames.runs.rows, Done(frames.plan)
    newest = max((f"{run.finished_at:%Y-%m-%d %H:%M} UTC" for run in runs), default="")
    said = [
        ("Study", label(frames.plan)),
        ("Plan", frames.key),
        ("Newest result", newest),
        ("Software", "; ".join(dict.fromkeys(_versions(run) for run in runs))),
        ("Plug-ins", "; ".join(dict.fromkeys(packages))),
        ("Hardware", "; ".join(_hardware(run) for run in runs)),
        ("Networks of others", "; ".join(one.text for one in done.others)),
        ("Citation", "; ".join(_by_collection(done, "citation"))),
        ("Licence", "; ".join(_by_collection(done, "licence"))),
    ]
    return [(term, text) for term, text in said if text]


def _variant(plan: PlanRecord, name: str, base: Described) -> VariantWords:
    changed = plan.variants[name]
    settings = tuple(f"{setting} = {value}" for setting, value in changed.items())
    try:
        said = described(plan.spec, changed)
    except ValidationError:  # its settings are told, whatever they mean
        return VariantWords(name, settings, ())
    sentences = tuple(one for one in said.sentences if one not in base.sentences)
    return VariantWords(name, settings, sentences)


def _filter(dataset: PlannedDataset) -> list[str]:
    if dataset.filter is None:
        parts = (name.partition(":") for name in dataset.members)
        told = [f"{n} images of {one}" if n else one for one, _, n in parts]
        return ["union of " + " and ".join(told) if len(told) > 1 else told[0]]
    conditions = [
        _condition(column, wanted)
        for column, wanted in dataset.filter.items()
        if column not in ("collection", "label", "take", "take_seed")
    ]
    if (take := dataset.filter.get("take")) is not None:
        conditions.append(f"{take} of these, seed {dataset.filter.get('take_seed', 0)}")
    return conditions


def _condition(column: str, wanted: JsonValue) -> str:
    if column == "sql":
        return str(wanted)
    if isinstance(wanted, list | tuple):
        return f"{column} in {', '.join(map(str, wanted))}"
    if not isinstance(wanted, dict):
        return f"{column} = {wanted}"
    if "near" in wanted:
        return f"{column} = {wanted['near']:g} ± {wanted['within']:g}"
    if "not" in wanted:
        return f"{column} is not {wanted['not']}"
    if "like" in wanted:
        return f"{column} like {wanted['like']}"
    low, high = wanted.get("min"), wanted.get("max")
    return " and ".join(
        [f"{column} ≥ {low}"] * (low is not None) + [f"{column} ≤ {high}"] * (high is not None)
    )


def _versions(run: RunRow) -> str:
    return ", ".join(f"{name} {version}" for name, version in run.versions.items())


def _hardware(run: RunRow) -> str:
    return f"{run.device_name}: {run.jobs} jobs, {run.seconds:.0f} s"


def _by_collection(done: Done, column: str) -> list[str]:
    """What the catalog says of the images of each collection that was used."""
    found: dict[str, dict[str, None]] = {name: {} for name in done.collections}
    for row in done.images.values():
        if row.get(column):
            found[str(row["collection"])][str(row[column])] = None
    said = {name: ", ".join(values) or NOT_SAID for name, values in found.items()}
    return [f"{name}: {text}" for name, text in said.items()]
