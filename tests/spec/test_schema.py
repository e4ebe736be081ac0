from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from studyspec.api.workplace import study_files
from studyspec.spec import schema as room
from studyspec.spec.schema import json_schema
from tests.spec.studies import PLAIN

jsonschema = pytest.importorskip("jsonschema")
HERE = Path(__file__).parent
STUDIES = [*study_files(HERE.parents[1] / "studies"), *HERE.glob("*.toml")]


def _plain(value: Any) -> Any:
    """TOML values as an editor hands them to a JSON Schema: dates as text."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _faults(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(json_schema())
    return sorted(error.json_path for error in validator.iter_errors(_plain(tomllib.loads(text))))


def test_the_committed_schema_is_the_current_one() -> None:
    committed = Path(room.__file__).with_name("study.schema.json").read_text()
    hint = "studyspec schema > studyspec/spec/study.schema.json"
    assert committed == json.dumps(json_schema(), indent=2) + "\n", hint


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_studies_are_valid(path: Path) -> None:
    assert _faults(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("[datasets.Cd]\ndose = { nearr = 3 }\n", "$.datasets.Cd.dose"),
        ('[datasets."A+B"]\n', "$.datasets"),
        ('[datasets."A:3"]\n', "$.datasets"),
        ("[variants.a]\ntraining.epoch = 3\n", "$.variants.a.training"),
        ("[variants.a]\ncatalog.path = ''\n", "$.variants.a"),
        ('[variants.a.sweep]\n"augment.noise.roh" = [1]\n', "$.variants.a.sweep"),
        ('[sweep]\n"training.epochs" = [0]\n', "$.sweep['training.epochs'][0]"),
        ("[variants.base]\ntraining.epochs = 3\n", "$.variants"),
        ("[profiles.paper]\ntraining.epochs = 'many'\n", "$.profiles.paper.training.epochs"),
        ("[[claims]]\nsays = 3\n", "$.claims[0].says"),
        ("[networks.a]\nweight = 'n.pt'\n", "$.networks.a"),
    ],
)
def test_mistakes_are_found(text: str, at: str) -> None:
    assert _faults(PLAIN + text) == [at]


def test_a_profile_may_hold_any_part() -> None:
    text = '[profiles.p]\nstudy.question = "?"\ndatasets.Au.dose = { within = 3 }\n'
    assert _faults(PLAIN + text) == []


def test_a_study_that_extends_a_file_needs_no_datasets() -> None:
    assert _faults('extends = "common.toml"\n[study]\nname = "a"\n') == []
    assert _faults('[study]\nname = "a"\n') == ["$"]


def _properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            if isinstance(inner, dict) and "$ref" not in inner:
                yield name, inner
        for inner in schema.values():
            yield from _properties(inner)


def test_every_key_has_title_and_description() -> None:
    found = dict(_properties(json_schema()))
    assert len(found) > 50
    for name, schema in found.items():
        assert schema["title"], name
        assert schema["description"], name


def test_tombi_finds_every_study_valid() -> None:
    tombi = shutil.which("tombi", path=str(Path(sys.executable).parent))
    if tombi is None:
        pytest.skip("tombi is not installed")
    studies = [str(path) for path in STUDIES if path.parent.name == "studies"]
    command = [tombi, "lint", "--offline", *studies]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_tombi_reads_the_schema_that_a_study_names(tmp_path: Path) -> None:
    tombi = shutil.which("tombi", path=str(Path(sys.executable).parent))
    if tombi is None:
        pytest.skip("tombi is not installed")
    schema = Path(room.__file__).with_name("study.schema.json")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(f"#:schema {schema}\n" + PLAIN + "[training]\nepoch = 3\n")
    command = [tombi, "lint", "--offline", str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "epoch" in done.stderr + done.stdout
