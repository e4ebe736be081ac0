"""Learning: examples of a store, kept beside it and made anew when the store has grown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from studyspec.errors import StoreError
from studyspec.store.folder import Results
from studyspec.store.record_file import versions
from studyspec.trust import saved
from studyspec.trust.examples import IMAGES, Example, gather
from studyspec.trust.known import Store
from studyspec.trust.saved import Learnt
from studyspec.trust.validation import Validation, validate

OnStep = Callable[[str, int, int], None]
"""Is told what is done, how many of it, and of how many."""


@dataclass(frozen=True)
class Knowledge:
    """All that is known: what is shipped, and what a store added; the store itself, if any."""

    shipped: Learnt
    own: Learnt | None
    store: Store | None

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples of both."""
        return self.shipped.examples if self.own is None else saved.joined(self.shipped, self.own)

    @property
    def told(self) -> str:
        """From what is learnt."""
        own = [] if self.own is None or not self.own.examples else [self.own.told]
        return "; ".join([self.shipped.told, *own])

    @property
    def validation(self) -> Validation | None:
        """Of the own store, else of what is shipped."""
        own = None if self.own is None else self.own.validation
        return own or self.shipped.validation


def nobody(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def knowledge(
    results: Results | None,
    device: str = "cpu",
    on_step: OnStep = nobody,
    anew: bool = True,
) -> Knowledge:
    """What is shipped, and what a store knows; learnt anew if the store has grown, if `anew`.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    shipped = saved.shipped()
    if results is None or not results.database.exists():
        return Knowledge(shipped, None, None)
    store = Store.read(results)
    if store.digest() == shipped.digest:
        return Knowledge(shipped, None, store)
    return Knowledge(shipped, _own(store, device, on_step, anew), store)


def learn(
    store: Store, images: int = IMAGES, device: str = "cpu", on_step: OnStep = nobody
) -> Learnt:
    """Learn from all that a store knows, and validate it."""
    gathered = gather(store, images, device, lambda *at: on_step("images asked about", *at))
    validation = validate(gathered.examples, lambda *at: on_step("conditions held out", *at))
    left = f", {gathered.left_out} left out: weights or patches are gone" * bool(gathered.left_out)
    source = f"chosen of {store.size} in a store{left}, studyspec {versions()['studyspec']}"
    return Learnt(gathered.examples, source, gathered.digest, validation)


def _own(store: Store, device: str, on_step: OnStep, anew: bool) -> Learnt | None:
    path = store.results.folder / "trust.json"
    try:
        kept = saved.read(path)
        if kept.digest == store.digest() or not anew:
            return kept
    except StoreError:
        pass  # there is none yet, or it is of another version
    if not anew:
        return None
    learnt = learn(store, device=device, on_step=on_step)
    saved.write(learnt, path)
    return learnt
