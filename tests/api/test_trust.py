"""Whatever was damaged behind the program's back is told and made again; no score changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec import api
from tests.cli.projects import STUDY, make_project

pytestmark = pytest.mark.slow
INLINE = api.Options(engine="inline")


def flipped(data: bytes) -> bytes:
    """The signs of the last numbers are others."""
    return data[:-400] + bytes(b ^ 0x80 for b in data[-400:])


def asked(study: Path, train: str, test: str) -> Path:
    """The study of these sets."""
    text = STUDY.replace('train = ["A", "B"]', f"train = {train}")
    study.write_text(text.replace('test = ["A", "B"]', f"test = {test}"))
    return study


def scores(results: Path) -> list[tuple[object, ...]]:
    wanted = "select train, test, fold, dice from scores order by all"
    return list(api.sql(wanted, str(results)).rows)


@pytest.mark.parametrize("damage", [flipped, lambda data: data[:-7]], ids=["flipped", "cut short"])
def test_damaged_weights_and_patches_are_made_again(
    tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(damage)
    study = make_project(tmp_path, "AB")
    api.run(asked(study, '["A"]', '["A"]'), options=INLINE)
    results = tmp_path / "results"
    artifacts = results / "artifacts"
    weights = sorted((artifacts / "networks").iterdir())
    whole = [path.read_bytes() for path in weights]
    for path in (*weights, *(artifacts / "patches").glob("*/labels.npy")):
        path.write_bytes(damage(path.read_bytes()))
    asked(study, '["A"]', '["A", "B"]')
    assert api.plan(study).count("train", "rebuild") == 2
    summary = api.run(study, options=INLINE)
    assert (summary.failed, summary.blocked) == (0, 0)
    assert [path.read_bytes() for path in weights] == whole
    assert caplog.text.count("damaged weights") == 2
    clean = api.Workplace(results=tmp_path / "clean")
    api.run(study, workplace=clean, options=INLINE)
    for found, expected in zip(scores(results), scores(tmp_path / "clean"), strict=True):
        assert found[:3] == expected[:3]
        assert found[3] == pytest.approx(expected[3], rel=1e-12)
