"""How the numbers were computed, in words, from what the settings of a study mean. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from studyspec.plugins.contracts import Metric
from studyspec.plugins.registry import METRICS
from studyspec.report.described import Described
from studyspec.report.done import Done
from studyspec.report.shown import Shown
from studyspec.spec.derived import DICE, Derived
from studyspec.spec.sections import TrainingNumbers
from studyspec.spec.starts import start_of

if TYPE_CHECKING:
    from studyspec.plan.record import PlanRecord

TWIN = "twin"
INTERVALS = (
    "Differences come with 95 % intervals: a variance-sum t over micrographs and networks, with "
    "Satterthwaite's degrees of freedom. What two cells share is paired: micrographs of one test "
    "set, and networks of one training set fold by fold, whatever their variant. A claim of at "
    "least or at most, and a trend, is one-sided: it is held if the 95 % bound on its side lies "
    "where it was claimed, and did not hold if the other bound does not. A claim of within is "
    "two-sided, by the 95 % interval. Claims of a family share 5 % of false alarms (Holm); a claim "
    "of several parts is held if each is. On fewer than six micrographs there is no verdict. "
    "Networks of several folds share training images: intervals tell of other micrographs and "
    "other folds, not of other training sets."
)
DIHEDRAL = {
    "all": "every patch in its 8 dihedral forms",
    "random": "one random dihedral form of each patch an epoch",
    "none": "no dihedral forms",
}


def on_the_twin(plan: PlanRecord) -> bool:
    """Whether any image of the study is simulated."""
    return TWIN in Done(plan).collections


def methods(said: Described, columns: Sequence[Shown], done: Done) -> list[tuple[str, str]]:
    """Terms and their explanations, of what was done alone; all numbers are the study's own.

    `columns` are the metrics that have scores.
    """
    folds = said.settings.cross_validation.networks
    quantities = [column.quantity for column in columns] or [METRICS.get(DICE)]
    spread = (
        f"Standard deviation over the {folds} folds (sample, ddof 1). It is the spread of the "
        "networks, not of the images."
    )
    told: list[tuple[str, str]] = []
    if done.tested:
        told += [(quantity.label, _meaning(quantity)) for quantity in quantities]
    if done.trained:
        told.append(("±", spread))
    if done.tested:
        told.append(("Intervals", INTERVALS))
    if done.trained:
        told.append(("Folds", _folds(said)))
    told.append(("Patches", _patches(said)))
    if done.trained:
        told.append(("Augmentation", _sentence([_dihedral(said), *said.augmentations])))
        told.append(("Training", _training(said)))
    if done.others:
        told.append(("Networks of others", _others(done)))
    if done.tested:
        told.append(("Test", _test(said)))
    return told


def _others(done: Done) -> str:
    """Of networks that were trained elsewhere."""
    names = ", ".join(one.name for one in done.others)
    one = "is one network that was" if len(done.others) == 1 else "are networks that were"
    return (
        f"{names} {one} trained elsewhere, on images that are not known here: nothing is held out "
        "from them, and they have no folds, so no ±."
    )


def _meaning(quantity: Metric | Derived) -> str:
    """What it means, with the name that tables give it if it is another."""
    if quantity.label.lower().replace(" ", "_") == quantity.name:
        return quantity.meaning
    return f"{quantity.meaning.rstrip('.')} ({quantity.name})."


def _dihedral(said: Described) -> str:
    told = DIHEDRAL[said.settings.augment.dihedral]
    return told if said.settings.training.steps is None else told.replace(" an epoch", " each time")


def _folds(said: Described) -> str:
    folds = said.settings.cross_validation
    times = f", {folds.repeats} times in another order" if folds.repeats > 1 else ""
    start = f"{folds.folds} folds, cut by {folds.unit}{times}. "
    if folds.unit == "patch":
        start += (
            "Patches of one image fall into training and test parts, as published: own-set scores "
            "profit from it. Take cross_validation.unit = 'image' to rule it out. "
        )
    else:
        start += (
            "Patches of one image stay together, in validation too: no image is on both sides. "
        )
    return start + (
        "Where a test set shares images with the training set, each network sees only those that "
        "it was not trained on; elsewhere it sees the whole test set."
    )


def _patches(said: Described) -> str:
    patch = said.settings.preprocess.patch
    cut = (
        f"{patch.size} × {patch.size} px, those with {patch.min_particle_px} particle pixels or "
        "fewer dropped"
    )
    return _sentence([*said.steps, cut])


def _training(said: Described) -> str:
    training, folds = said.settings.training, said.settings.cross_validation
    random = training.crops == "random"
    numbers = [
        f"optimizer {training.optimizer}",
        *([f"weight decay {training.weight_decay:g}"] if training.weight_decay else []),
        f"learning rate {training.learning_rate:g} ({said.schedule})",
        f"batch {training.batch_size}",
        *([f"{training.micro_batch} at once"] if training.micro_batch else []),
        _length(training),
        f"precision {training.precision}",
        *(["patches moved to random places within those trained on"] if random else []),
    ]
    kept = "the weights of the lowest validation loss are kept"
    if training.average is not None:
        kept = (
            f"of an exponential moving average of the weights ({training.average:g} of the old at "
            "each step) those of the lowest validation loss are kept"
        )
    kept += f" ({folds.validation_percent:g} % of the rest of a fold validate)"
    return _sentence([said.architecture, *_start(said), ", ".join([said.loss, *numbers]), kept])


def _length(training: TrainingNumbers) -> str:
    """How long it goes."""
    length = f"{training.epochs} epochs"
    if training.steps is not None:
        length = f"{training.steps} steps, validated every {training.every}"
    if training.patience is not None:
        length = (
            f"at most {length}, less after {training.patience} validations without a better one"
        )
    return length


def _start(said: Described) -> list[str]:
    """What the networks start from, if not from fresh weights, and what stays as it is."""
    start, frozen = start_of(said.settings), said.settings.training.freeze
    told = []
    if start is not None and start.train is not None:
        told.append(f"each starts from the same fold's network of {start.train} ({start.variant})")
    elif start is not None:
        told.append(f"each starts from the weights of {start.weights}")
    return told + ([f"{', '.join(frozen)} stay as they are at the start"] if frozen else [])


def _test(said: Described) -> str:
    forms = "in its 8 dihedral forms" if said.settings.evaluation.dihedral else "once, as it is"
    size = said.settings.evaluation.patch_size
    cut = "" if size is None else f" of {size} × {size} px"
    if said.settings.evaluation.precision == "auto":
        forms += ", in bfloat16 where the hardware has it"
    start = (
        f"Every patch{cut} is scored {forms}; no noise, no rotation, nor any other augmentation."
    )
    return f"{start} Counted over pixels: {'; '.join(said.metrics)}." if said.metrics else start


def _sentence(parts: Iterable[str]) -> str:
    """Parts as one sentence."""
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."
