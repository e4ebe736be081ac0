from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.spec.dotted import with_values
from studyspec.spec.names import Member, set_members, union_members
from studyspec.spec.origins import origins
from studyspec.spec.sections import StageSettings
from studyspec.spec.starts import start_of
from tests.spec.studies import FILE, PLAIN, loaded, marked, problems

TUNED = '[variants.tuned]\ntraining.start_from = { train = "Au" }\n'
START = "[variants.tuned]\ntraining.start_from"
TUNED_AT = TUNED.replace("start_from", "»start_from")
SEARCH = '[search]\ndatasets = ["Ag"]\nspace = »{ "training.epochs" = [1, 2] }\n'
FILE_START = "{ weights = 'a.safetensors' }"
MISTAKES = {
    "dataset with a colon": (
        '[datasets.»"Au:3"]\n',
        "a dataset cannot be named 'Au:3': ':' stands before a number of images",
    ),
    "weight that is no number": (
        '[matrix]\ntrain = [»"Au:many+Ag"]\n',
        "'Au:many+Ag' has 'many' where a number of images stands, as 'Au:64'",
    ),
    "weight of nothing": ('[matrix]\ntest = [»"Au:0"]\n', "has '0' where a number of images"),
    "unknown dataset with a weight": ('[matrix]\ntrain = [»"Ax:3"]\n', "unknown dataset 'Ax'"),
    "drawing none": ("[datasets.Pt]\ntake = »0\n", "expected at least 1, got 0"),
    "start of a wrong kind": (
        '[training]\nstart_from = »"Au"\n',
        "expected a table of train and variant or of weights, or 'none'",
    ),
    "start of nothing": ("[training]\nstart_from = »{}\n", "give train (and variant) or weights"),
    "both starts": (
        '[training]\nstart_from = »{ train = "Au", weights = "a.safetensors" }\n',
        "give train (and variant) or weights, one of the two",
    ),
    "start of a file that holds no weights": (
        '[training]\nstart_from = { weights = »"a.onnx" }\n',
        "expected a file of weights, *.safetensors",
    ),
    "unknown key of a start": (f"{START} = {{ »trian = 'Au' }}\n", "unknown key 'trian'; did you"),
    "start from an unknown dataset": (
        f'{START} = {{ train = »"Ax" }}\n',
        "unknown dataset 'Ax'; expected Ag or Au",
    ),
    "start from a foreign network": (
        f'[networks.theirs]\nweights = "a.onnx"\n{START}.train = »"theirs"\n',
        "'theirs' is a foreign network; start from its file",
    ),
    "start from an unknown variant": (
        f'{START} = {{ train = "Au", variant = »"bass" }}\n',
        "unknown variant 'bass'; did you mean 'base'?",
    ),
    "start from a whole sweep": (
        '[variants.some.sweep]\n"training.epochs" = [1, 2]\n'
        f'{START} = {{ train = "Au", variant = »"some" }}\n',
        "unknown variant 'some'; name one point of its sweep, as 'some[training.epochs=1]'",
    ),
    "start from itself": (
        '[training]\n»start_from = { train = "Au" }\n',
        "the networks of 'base' would start from one another, round and round",
    ),
    "start that goes round": (
        f'[study]\nname = "a"\nbase = false\n[datasets.Au]\nmaterial = "Au"\n'
        f'{START} = {{ train = "Au", variant = "b" }}\n'
        '[variants.b]\nmodel.first_filters = 4\ntraining.start_from.train = "Au"\n'
        'training.start_from.variant = »"c"\n',
        "unknown variant 'c'",
    ),
    "start from another architecture": (
        f"{TUNED_AT}model.first_filters = 8\n",
        "[model] of 'tuned' is not that of 'base'; weights fit one architecture only",
    ),
    "start from fewer folds": (
        f"[cross_validation]\nfolds = 3\n{TUNED_AT}cross_validation.folds = 5\n",
        "'tuned' has 5 folds and 'base' has 3",
    ),
    "search of a start": (
        f'[training]\nstart_from = {{ weights = "a.safetensors" }}\n{SEARCH}',
        "a search trains from fresh weights",
    ),
    "start from what is searched": (
        '[search]\ndatasets = ["Ag"]\nspace = { "training.epochs" = [1, 2] }\n'
        f'{START} = {{ train = "Au", variant = »"found" }}\n',
        "'found' is found by a search, and nothing starts from it",
    ),
    "swept start": (
        '[variants.tuned.sweep]\n"training.start_from.train" = »["Au", "Ax"]\n',
        "unknown dataset 'Ax'",
    ),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_at_its_place(text: str, message: str, tmp_path: Path) -> None:
    text, line, column = marked(text if "[study]" in text else PLAIN + text)
    found = problems(tmp_path, text)
    assert [(one.line, one.column) for one in found] == [(line, column)], [p.text for p in found]
    assert message in f"{found[0].what}; {found[0].hint}"
    assert found[0].file == str(tmp_path / FILE)


def test_a_set_has_members_and_weights() -> None:
    assert set_members("twin:384+real") == (Member("twin", 384), Member("real", None))
    assert union_members("twin:384 + real") == ("twin", "real")


def test_weights_are_written_in_one_way(tmp_path: Path) -> None:
    study = loaded(tmp_path, '[matrix]\ntrain = ["Au : 08 + Ag"]\n').study
    assert study.matrix.train == ("Au:8+Ag",)


def test_a_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    more = '[variants.twice]\ntraining.start_from = { train = "Ag", variant = "tuned" }\n'
    variants = {one.name: one for one in loaded(tmp_path, TUNED + more).variants}
    chain = origins(variants["twice"], variants)
    assert [(one.train, one.variant.name) for one in chain] == [("Ag", "tuned"), ("Au", "base")]
    assert origins(variants["base"], variants) == ()


def test_a_variant_may_start_afresh(tmp_path: Path) -> None:
    text = (
        '[training]\nstart_from = { train = "Au", variant = "fresh" }\n'
        '[variants.fresh]\ntraining.start_from = "none"\n'
    )
    base, fresh = loaded(tmp_path, text).variants
    assert start_of(base.settings) is not None
    assert start_of(fresh.settings) is None
    assert fresh.changes == {"training.start_from": "none"}


def test_one_form_of_a_start_replaces_the_other(tmp_path: Path) -> None:
    text = TUNED.replace("tuned", "fresh") + (
        '[variants.file]\ntraining.start_from.weights = "a.safetensors"\n'
        '[profiles.paper.variants.file]\ntraining.start_from.train = "Ag"\n'
    )
    starts = {one.name: start_of(one.settings) for one in loaded(tmp_path, text, "paper").variants}
    assert starts["file"] is not None
    assert (starts["file"].train, starts["file"].weights) == ("Ag", None)


@pytest.mark.parametrize("plain", ["'none'", "{ train = 'Au', variant = 'file' }", FILE_START])
def test_what_a_variant_changes_makes_its_settings_again(plain: str, tmp_path: Path) -> None:
    text = (
        f"[training]\nstart_from = {plain}\n[variants.file]\ntraining.epochs = 3\n"
        f"training.start_from = {FILE_START}\n[variants.other]\ntraining.start_from.train = 'Ag'\n"
        "training.start_from.variant = 'file'\n[variants.fresh]\ntraining.epochs = 2\n"
        "training.start_from = 'none'\n"
    )
    found = loaded(tmp_path, text)
    below = found.study.stage.model_dump(mode="json")
    for one in found.variants:
        assert StageSettings.model_validate(with_values(below, one.changes)) == one.settings


def test_the_order_of_frozen_parts_decides_nothing(tmp_path: Path) -> None:
    text = '[variants.a]\ntraining.freeze = ["ups", "downs", "ups"]\n'
    assert loaded(tmp_path, text).variants[1].settings.training.freeze == ("downs", "ups")
