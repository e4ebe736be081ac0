from __future__ import annotations

import pytest

from tests.promises import PAGES, PROMISES, Promise, rows


@pytest.mark.parametrize("promise", PROMISES, ids=lambda one: one.name)
def test_every_promise_has_a_test_that_exists(promise: Promise) -> None:
    assert promise.exists


def test_the_pages_tell_of_every_promise_and_of_no_other() -> None:
    for page in PAGES:
        told = [line for line in page.read_text(encoding="utf-8").splitlines() if ".py::" in line]
        assert [f"{line.rsplit('|', 2)[0]}|" for line in told] == rows()
