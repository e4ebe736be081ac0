"""Wrong study files: each mistake is one problem, at its place, in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.studies import FILE, HEAD, PLAIN, marked, problems

# A mark » stands where the problem must point.
WHOLE = {
    "no study": ("»[datasets.Au]\n", "'study' is missing"),
    "no name": ("[»study]\n[datasets.Au]\n", "'name' is missing in study"),
    "no datasets": ('»[study]\nname = "a"\n', "'datasets' is missing"),
    "only common": (
        '[study]\nname = "a"\n[»datasets.common]\nmaterial = "Au"\n',
        "expected at least 1 entry, got an empty table",
    ),
    "name with a space": (
        '[study]\nname = »"my study"\n[datasets.Au]\n',
        "expected letters, digits, '_', '-' and '.' only, got 'my study'",
    ),
    "unknown key": (
        '[study]\nname = "a"\n»bas = false\n[datasets.Au]\n',
        "unknown key 'bas'; did you mean 'base'?",
    ),
    "base is no number": (
        '[study]\nname = "a"\nbase = »1\n[datasets.Au]\n',
        "expected true or false, got 1",
    ),
    "base in quotes": (
        '[study]\nname = "a"\nbase = »"false"\n[datasets.Au]\n',
        "expected true or false, got 'false'; leave out the quotes",
    ),
    "no variant left": (
        '[study]\nname = "a"\nbase = »false\n[datasets.Au]\n',
        "the study has no variant; set base = true, or add [variants.NAME]",
    ),
    "key without table": (
        '»nam = "a"\n[study]\nname = "a"\n[datasets.Au]\n',
        "unknown key 'nam'",
    ),
    "datasets is a value": (
        'datasets = »"Au"\n[study]\nname = "a"\n',
        "expected a table, got 'Au'",
    ),
    "no value": ("[study]\nname = »\n[datasets.Au]\n", "not valid TOML: invalid value"),
    "text without quotes": ("[study]\nname = »material\n", "not valid TOML: invalid value; text"),
    "no equals sign": ('[study]\nname »"a"\n', "not valid TOML: expected '=' after a key"),
    "open list": ('[study]\nname = "a"\n[matrix]\ntrain = ["Au"»', "not valid TOML: unclosed"),
    "key twice": (
        '[study]\nname = "a"\n»name = "b"\n[datasets.Au]\n',
        "'name' is defined twice; delete one of them, or join them",
    ),
    "table twice": (
        '[study]\nname = "a"\n[datasets.Au]\n[»datasets.Au]\n',
        "'datasets.Au' is defined twice",
    ),
    "after text that is not ASCII": (
        '[study]\nname = "a"\n[datasets.Au]\n"Größe [µm]" = ["Å", »[1]]\n',
        "expected text, a number, true, false or a date, got a list of 1",
    ),
}
DATASETS = {
    "union as a name": ('[datasets.»"Au+Cd"]\n', "a dataset cannot be named 'Au+Cd': '+' joins"),
    "quote in a name": ('[datasets.»"A\'u"]\n', 'a dataset cannot be named "A\'u": leave out'),
    "no name": ('[datasets.»""]\n', "a dataset cannot be named ''"),
    "space around a name": ('[datasets.»" Cd"]\n', "begins and ends with a visible character"),
    "control character": ('[datasets.»"a\\u0007b"]\n', "leave out '\\x07'"),
    "word of claims": ("[datasets.»own]\n", "cannot be named 'own': that is the word of claims"),
    "common is a value": (
        f"datasets = {{ common = »5, Au = {{}} }}\n{HEAD}",
        "expected a table of conditions, got 5",
    ),
    "dataset is a value": (f"datasets.Cd = »5\n{HEAD}", "expected a table, got 5"),
    "unknown form": (
        "[datasets.Cd]\ndose = »{ nearr = 5 }\n",
        "expected a value, a list of values, or a table of near and within, min and max, not, or "
        "like, got a table of nearr; did you mean 'near'?",
    ),
    "time of day": ("[datasets.Cd]\nat = »10:00:00\n", "expected a value, a list of values, or"),
    "empty table": ("[datasets.Cd]\ndose = »{}\n", "got an empty table"),
    "not a number": ("[datasets.Cd]\ndose = »nan\n", "expected a value, a list of values"),
    "near without within": (
        "[datasets.Cd]\n»dose = { near = 5 }\n",
        "'within' is missing in dose",
    ),
    "forms mixed": (
        "[datasets.Cd]\ndose = { near = 5, within = 1, »min = 3 }\n",
        "unknown key 'min'; a condition has one form only",
    ),
    "negative distance": (
        "[datasets.Cd]\ndose = { near = 5, within = »-1 }\n",
        "expected at least 0, got -1",
    ),
    "date in quotes": (
        '[datasets.Cd]\nacquired_on = { min = »"2021-08-26" }\n',
        "expected a number or a date, got '2021-08-26'; leave out the quotes",
    ),
    "range upside down": (
        "[datasets.Cd]\ndose = »{ min = 5, max = 3 }\n",
        "min (5.0) is above max (3.0)",
    ),
    "range of two kinds": (
        "[datasets.Cd]\ndose = »{ min = 5, max = 2021-08-26 }\n",
        "min and max are a number and a date",
    ),
    "empty list": (
        "[datasets.Cd]\nmaterial = »[]\n",
        "expected at least 1 entry, got an empty list",
    ),
    "not of nothing": ("[datasets.Cd]\nm = { not = »[] }\n", "expected at least 1 entry"),
    "pattern is a number": (
        "[datasets.Cd]\nsession = { like = »2021 }\n",
        "expected text in quotes, got 2021",
    ),
    "sql is a number": ("[datasets.Cd]\nsql = »1\n", "expected text in quotes, got 1"),
    "unknown label": (
        '[datasets.Cd]\nlabel = »"exakt"\n',
        "expected 'drawn' or 'exact', got 'exakt'; did you mean 'exact'?",
    ),
    "wrong in common": ("[datasets.common]\n»dose = { near = 5 }\n", "'within' is missing in dose"),
}
TABLES = {
    "unknown dataset": (
        '[matrix]\ntrain = ["Au", »"Ax"]\n',
        "unknown dataset 'Ax'; expected Ag or Au",
    ),
    "unknown member": ('[matrix]\ntest = [»"Au+Xe"]\n', "unknown dataset 'Xe'; expected Ag or Au"),
    "common in matrix": ('[matrix]\ntest = [»"common"]\n', "'common' is no dataset"),
    "member twice": ('[matrix]\ntest = [»"Au+Au"]\n', "'Au+Au' names a dataset twice"),
    "member missing": ('[matrix]\ntest = [»"Au+"]\n', "'Au+' does not name a dataset on each side"),
    "no list": (
        '[matrix]\ntest = »"Au"\n',
        "expected a list, got 'Au'; put it into brackets: [\"Au\"]",
    ),
    "pair of one": ('[matrix]\npairs = [»["Au"]]\n', "expected 2 entries, got 1"),
    "pair of three": (
        '[matrix]\npairs = [»["Au", "Au", "Au"]]\n',
        "expected at most 2 entries, got a list of 3",
    ),
    "pairs and lists": (
        '[matrix]\npairs = »[["Au", "Ag"]]\ntest = ["Au"]\n',
        "give pairs, or train and test, not both",
    ),
    "unknown table": ("[»trainig]\n", "unknown key 'trainig'; did you mean 'training'?"),
    "network from nowhere": ("[»networks.mine]\n", "name its weights or a factory"),
    "network of a wrong kind": (
        "[networks.mine]\nweights = 'n.pt'\noutput = »'logit'\n",
        "expected 'logits' or 'probabilities', got 'logit'",
    ),
    "table is a value": (f"training = »3\n{PLAIN}", "expected a table, got 3"),
    "wrong where a variant changes it": (
        "[training]\nepochs = »0\n[variants.long]\ntraining.epochs = 250\n",
        "expected at least 1, got 0",
    ),
    "text for a number": (
        '[training]\nepochs = »"ten"\n',
        "expected a whole number, got 'ten'",
    ),
    "number in quotes": (
        '[training]\nepochs = »"10"\n',
        "expected a whole number, got '10'; leave out the quotes",
    ),
    "fraction": ("[training]\nepochs = »1.5\n", "expected a whole number, got 1.5"),
    "too small": ("[training]\nepochs = »0\n", "expected at least 1, got 0"),
    "not above": ("[training]\nlearning_rate = »0\n", "expected a number above 0, got 0"),
    "not finite": ("[training]\nlearning_rate = »inf\n", "expected a finite number, got inf"),
    "not below": (
        "[cross_validation]\nvalidation_percent = »100\n",
        "expected a number below 100, got 100",
    ),
    "too large": ("[augment.rotation]\nprobability = »2\n", "expected at most 1, got 2"),
    "no multiple": (
        "[preprocess]\npatch = { size = »100 }\n",
        "expected a multiple of 16, got 100",
    ),
    "unknown choice": (
        '[preprocess]\nrescale.method = »"normalise"\n',
        "got 'normalise'; did you mean 'normalize'?",
    ),
    "wrong table": ("[training]\n»folds = 3\n", "unknown key 'folds'; it belongs into [cross_val"),
    "list too short": (
        "[model]\ndilations = »[1, 1]\n",
        "expected at least 5 entries, got a list of 2",
    ),
    "wrong in a list": (
        "[model]\ndilations = [1, 1, 1, 1, »9]\n",
        "expected 1, 2 or 3, got 9",
    ),
    "too few seeds": ("[cross_validation]\nfolds = »9\n", "9 folds need 9 seeds, not 5"),
    "split twice": (
        '[evaluation]\nsplits = »["test", "test"]\n',
        "each split at most once",
    ),
    "noise on another scale": (
        '[augment]\nnoise.rho = »1\n[preprocess]\nrescale.method = "normalize"\n',
        "augment.noise needs preprocess.rescale.method = 'standardize'",
    ),
    "thinning in other pixels": (
        "[augment]\nthinning.dose_e_per_A2 = »80\n[preprocess]\nresample.pixel_scale_nm = 0.03\n",
        "augment.thinning needs preprocess.resample.pixel_scale_nm left out",
    ),
}
VARIANTS = {
    "no-op": ("[variants.»same]\n", "variant 'same' changes nothing; change a setting, or delete"),
    "no-op of defaults": ("[variants.»same]\ntraining.epochs = 250\n", "changes nothing"),
    "no-op of the matrix": ('[variants.»same]\nmatrix.train = ["Ag", "Au"]\n', "changes nothing"),
    "named base": ("[variants.»base]\ntraining.epochs = 1\n", "cannot be named 'base'"),
    "bracket in a name": ('[variants.»"a[b"]\ntraining.epochs = 1\n', "leave out '['"),
    "changes datasets": (
        '[variants.a]\n»datasets.Au.material = "Ag"\n',
        "a variant cannot change 'datasets'; it may change matrix, preprocess,",
    ),
    "changes the catalog": (
        '[variants.a]\n»catalog.collection = "twin"\ntraining.epochs = 1\n',
        "a variant cannot change 'catalog'; it may change matrix, preprocess,",
    ),
    "unknown table": (
        "[variants.a]\n»trainig.epochs = 1\ntraining.epochs = 1\n",
        "a variant cannot change 'trainig'; did you mean 'training'?",
    ),
    "unknown setting": (
        "[variants.a]\ntraining.»epoch = 1\n",
        "unknown key 'epoch'; did you mean 'epochs'?",
    ),
    "wrong type": ('[variants.a]\ntraining.epochs = »"many"\n', "expected a whole number, got"),
    "variant is a value": (f"variants.a = »1\n{PLAIN}", "expected a table, got 1"),
    "unknown dataset": (
        '[variants.a]\nmatrix.pairs = [["Au", »"Ax"]]\n',
        "unknown dataset 'Ax'; expected Ag or Au",
    ),
    "matrix is a value": ("[variants.a]\nmatrix = »3\n", "expected a table, got 3"),
    "sweep is a value": ("[variants.a]\nsweep = »3\n", "expected a table of settings"),
    "unknown swept setting": (
        '[variants.a.sweep]\n»"augment.noise.roh" = [1]\n',
        "unknown setting 'augment.noise.roh'; did you mean 'augment.noise.rho'?",
    ),
    "short name of a setting": (
        "[variants.a.sweep]\n»rho = [1]\n",
        "unknown setting 'rho'; did you mean 'augment.noise.rho'?",
    ),
    "swept table": (
        '[variants.a.sweep]\n»"augment.noise" = [1]\n',
        "it is a table; sweep a setting of it, such as 'augment.noise.rho'",
    ),
    "swept without quotes": (
        "[variants.a.sweep]\n»augment.noise.rho = [1]\n",
        "unknown setting 'augment'; write the whole setting in quotes: \"augment.noise.rho\"",
    ),
    "sweep of one value": (
        '[variants.a.sweep]\n"augment.noise.rho" = »1\n',
        "expected a list",
    ),
    "sweep of nothing": ('[variants.a.sweep]\n"augment.noise.rho" = »[]\n', "got an empty list"),
    "wrong swept value": (
        '[variants.a.sweep]\n"augment.noise.rho" = [0.5, »-1]\n',
        "expected at least 0, got -1",
    ),
    "swept value twice": (
        '[variants.a.sweep]\n"augment.noise.rho" = [0, 0.5, »0.0]\n',
        "0.0 is given twice",
    ),
    "values that exclude each other": (
        '[variants.a.sweep]\n"augment.noise.rho" = [0, 0.5]\n"augment.noise.rho_max" = [»1.0]\n',
        "give rho or rho_max, not both",
    ),
    "top-level sweep": ('[sweep]\n"training.epochs" = [1, »0]\n', "expected at least 1, got 0"),
    "top-level sweep of one value": (
        '[sweep]\n"training.epochs" = »1\n',
        "expected a list of values",
    ),
}
CLAIM = '[[claims]]\nsays = "a"\n'
LEFT = 'left = { train = "Au", test = "Ag" }\n'
RIGHT = 'right = { train = "Ag", test = "Ag" }\n'
CLAIMS = {
    "no words": (f"[[»claims]]\n{LEFT}{RIGHT}within = 0.1\n", "'says' is missing in claims"),
    "no prediction": ('[[»claims]]\nsays = "a"\n', "'left' is missing"),
    "no right": (f'[[»claims]]\nsays = "a"\n{LEFT}within = 0.1\n', "'right' is missing"),
    "no bound": (f'[[»claims]]\nsays = "a"\n{LEFT}{RIGHT}', "give one of at_least, at_most and"),
    "two bounds": (
        f'[[»claims]]\nsays = "a"\n{LEFT}{RIGHT}at_least = 0\nat_most = 1\n',
        "give one of at_least, at_most and within",
    ),
    "trend with a bound": (
        f'[[»claims]]\nsays = "a"\n{LEFT}trend = {{ over = "dose", sign = 1 }}\nwithin = 1\n',
        "a trend has left alone",
    ),
    "sign": (
        f'{CLAIM}{LEFT}trend = {{ over = "dose", sign = »2 }}\n',
        "expected 1 or -1, got 2",
    ),
    "one and several": (
        f'[[»claims]]\nsays = "a"\n{LEFT}all = [{{ left = {{ train = "Au", test = "Ag" }}, '
        'trend = { over = "dose", sign = 1 } }]\n',
        "give all = [...], or left with right or trend, not both",
    ),
    "unknown key": (
        f'{CLAIM}left = {{ train = "Au", test = "Ag", »metrik = "dice" }}\n{RIGHT}within = 0.1\n',
        "unknown key 'metrik'; did you mean 'metric'?",
    ),
    "unknown metric": (
        f'{CLAIM}left = {{ train = "Au", test = "Ag", metric = »"dise" }}\n{RIGHT}within = 0.1\n',
        "no metric 'dise'; did you mean 'dice'?",
    ),
    "neither name nor list": (
        f'{CLAIM}left = {{ train = »3, test = "Ag" }}\n{RIGHT}within = 0.1\n',
        "expected text in quotes or a list, got 3",
    ),
    "unknown dataset": (
        f'{CLAIM}left = {{ train = ["Au", »"Ax"], test = "Ag" }}\n{RIGHT}within = 0.1\n',
        "unknown dataset 'Ax'; expected Ag or Au",
    ),
    "own for train": (
        f'{CLAIM}left = {{ train = »"own", test = "Ag" }}\n{RIGHT}within = 0.1\n',
        "unknown dataset 'own'",
    ),
    "own in a list": (
        f'{CLAIM}left = {{ train = "Au", test = »["own", "Ag"] }}\n{RIGHT}within = 0.1\n',
        "'own' and 'others' stand alone, not in a list",
    ),
    "unknown variant": (
        f'{CLAIM}left = {{ train = "Au", test = "Ag", variant = »"noizy" }}\n{RIGHT}within = 0.1\n'
        "[variants.noisy]\naugment.noise.rho = 0.5\n",
        "unknown variant 'noizy'; did you mean 'noisy'?",
    ),
    "cell not in the matrix": (
        f'[matrix]\npairs = [["Ag", "Ag"]]\n{CLAIM}left = {{ train = "Au", test = »"Ag" }}\n{RIGHT}'
        "within = 0.1\n",
        "variant 'base' does not test 'Au' on 'Ag'; no cell of the matrix answers this",
    ),
    "own set not in the matrix": (
        f'[matrix]\npairs = [["Au", "Ag"], ["Ag", "Ag"]]\n{CLAIM}'
        f'left = {{ train = "Au", test = »"own" }}\n{RIGHT}within = 0.1\n',
        "variant 'base' does not test 'Au' on its own set",
    ),
    "no other set in the matrix": (
        f'[matrix]\npairs = [["Au", "Au"], ["Ag", "Ag"]]\n{CLAIM}'
        f'left = {{ train = "Au", test = »"others" }}\n{RIGHT}within = 0.1\n',
        "variant 'base' does not test 'Au' on any other set",
    ),
    "split not scored": (
        f'{CLAIM}left = {{ train = "Au", test = "Au", split = »"train" }}\n{RIGHT}within = 0.1\n',
        "split 'train' is not scored in variant 'base'; add it to evaluation.splits",
    ),
    "best of no sweep": (
        f'{CLAIM}left = {{ train = "Au", test = "Ag", best_over = »"training.epochs" }}\n{RIGHT}'
        "within = 0.1\n",
        "'training.epochs' has only one value in variant 'base'; name a variant with a sweep",
    ),
    "best of an unknown setting": (
        f'{CLAIM}left = {{ train = "Au", test = "Ag", best_over = »"training.epoch" }}\n{RIGHT}'
        "within = 0.1\n",
        "unknown setting 'training.epoch'; did you mean 'training.epochs'?",
    ),
    "setting of no best": (
        f'{CLAIM}left = {{ train = "Au", test = "Ag", take = »"setting" }}\n{RIGHT}within = 0.1\n',
        "take = 'setting' needs best_over",
    ),
    "best setting by a loss": (
        f'{CLAIM}left = {{ train = "Au", test = "Ag", best_over = "augment.noise.rho", '
        f'take = "setting", metric = »"loss" }}\n{RIGHT}within = 0.1\n',
        "the best setting is that of ",
    ),
    "a setting and a score": (
        f'[[»claims]]\nsays = "a"\nleft = {{ train = "Au", test = "Ag", '
        f'best_over = "augment.noise.rho", take = "setting" }}\n{RIGHT}within = 0.1\n',
        "take = 'setting' compares a setting with a setting, on both sides",
    ),
    "a bound that nothing reaches": (
        f"{CLAIM}{LEFT}{RIGHT}at_least = »2\n",
        "no data could hold it: left - right lies between -1 and 1, and at_least is 2",
    ),
    "within nothing": (f"{CLAIM}{LEFT}{RIGHT}within = »0\n", "expected a number above 0, got 0"),
    "one with itself": (
        f'{CLAIM}{LEFT}right = »{{ train = "Au", test = "Ag" }}\nwithin = 0.1\n',
        "left and right are the same, so no data could decide it",
    ),
    "trend over no sweep": (
        f'{CLAIM}{LEFT}trend = {{ over = »"augment.noise.rho", sign = 1 }}\n',
        "'augment.noise.rho' has only one value in variant 'base'",
    ),
    "wrong in all": (
        f'{CLAIM}all = [\n  {{ left = {{ train = "Au", test = "Ag" }}, '
        'trend = { over = "dose", sign = 1 } },\n'
        '  { left = { train = "Au", test = »"Ax" }, trend = { over = "dose", sign = 1 } },\n]\n',
        "unknown dataset 'Ax'; expected Ag or Au",
    ),
}
PROFILES = {
    "wrong type": ('[profiles.paper]\ntraining.epochs = »"many"\n', "expected a whole number, got"),
    "unknown key": ("[profiles.paper]\ntraining.»epoch = 3\n", "unknown key 'epoch'; did you mean"),
    "unknown dataset": (
        '[matrix]\ntrain = ["Au"]\n[profiles.paper.matrix]\ntrain = ["Au", »"Ax"]\n',
        "unknown dataset 'Ax'",
    ),
    "wrong in common": (
        "[profiles.paper.datasets.common]\ndose = »{ nearr = 3 }\n",
        "expected a value, a list of values",
    ),
    "profile in a profile": (
        "[profiles.paper]\n»profiles.a.training.epochs = 3\n",
        "unknown key 'profiles'",
    ),
    "profile is a value": (f"profiles.paper = »3\n{PLAIN}", "expected a table, got 3"),
    "profiles is a value": (f"profiles = »3\n{PLAIN}", "expected a table, got 3"),
    "no-op variant of a profile": ("[profiles.paper.variants.»a]\n", "changes nothing"),
}


GROUPS = {
    "datasets": DATASETS,
    "tables": TABLES,
    "variants": VARIANTS,
    "claims": CLAIMS,
    "profiles": PROFILES,
}
CASES = {f"file: {name}": case for name, case in WHOLE.items()} | {
    f"{group}: {name}": (text if PLAIN in text or HEAD in text else PLAIN + text, message)
    for group, cases in GROUPS.items()
    for name, (text, message) in cases.items()
}


@pytest.mark.parametrize(("text", "message"), CASES.values(), ids=CASES)
def test_one_mistake_is_one_problem_at_its_place(text: str, message: str, tmp_path: Path) -> None:
    text, line, column = marked(text)
    found = problems(tmp_path, text)
    assert len(found) == 1, [problem.text for problem in found]
    [problem] = found
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / FILE), line, column)
    assert message in f"{problem.what}; {problem.hint}"
    assert problem.source == text.split("\n")[line - 1]


@pytest.mark.parametrize("value", ["''", "[]", "3", "{ pairs = 'Au' }", "{ pairs = ['Au'] }"])
def test_a_matrix_of_a_wrong_kind_is_told(value: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f"matrix = {value}\n{PLAIN}")
    assert found
    assert all(problem.line == 1 for problem in found)
