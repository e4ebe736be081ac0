from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studyspec.errors import StoreError
from studyspec.trust.saved import Learnt, joined, read, write
from studyspec.trust.validation import Held, Validation
from tests.trust.made_up import examples

VALIDATION = Validation((Held("Au", 3, 0.8, 0.1, 0.2, 0.3, 0.9),), 0.1, 0.2, 0.3, 0.9, None, 0.8)


def learnt() -> Learnt:
    return Learnt(tuple(examples(3, 4)), "a store", "digest", VALIDATION)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(learnt(), tmp_path / "a.json")
    write(learnt(), tmp_path / "b.json")
    found, own = read(tmp_path / "a.json"), learnt()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (found.source, found.digest, found.validation) == ("a store", "digest", VALIDATION)
    for one, wanted in zip(found.examples, own.examples, strict=True):
        assert (one.image_id, one.condition, one.trained) == (
            wanted.image_id, wanted.condition, wanted.trained,
        )  # fmt: skip
        np.testing.assert_allclose(one.values, wanted.values, rtol=1e-3)
        assert one.dice == pytest.approx(wanted.dice, abs=1e-4)


@pytest.mark.parametrize("text", ["{", "[]", '{"form": 99}', "{}"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(StoreError, match=r"a.json: not what was learnt about trust"):
        read(tmp_path / "a.json")


def test_of_the_same_example_twice_the_second_counts() -> None:
    assert len(joined(learnt(), learnt())) == 12
