"""Promises: what is promised, and the test that proves it. `make promises` tells of all.

The tables of SECURITY.md and of the README are made of this list; a test compares them.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "SECURITY.md")
BEGIN, END = "<!-- promises: made by `make promises` -->\n", "<!-- end of promises -->\n"
LONG_RUN = 10_000
"""Cases of a fuzz target in a long run (`make fuzz`)."""


@dataclass(frozen=True)
class Promise:
    """A promise and the test that proves it, as a path and a name."""

    says: str
    test: str

    @property
    def path(self) -> Path:
        """The file of the test."""
        return ROOT / "tests" / self.test.partition("::")[0]

    @property
    def name(self) -> str:
        """The function."""
        return self.test.partition("::")[2]

    @property
    def exists(self) -> bool:
        """Whether there is such a test."""
        tree = ast.parse(self.path.read_text(encoding="utf-8")) if self.path.exists() else None
        return tree is not None and any(
            isinstance(node, ast.FunctionDef) and node.name == self.name for node in tree.body
        )

    def fuzzed(self) -> int | None:
        """How many cases a fuzz target tries in a run of the tests; None if it is none."""
        head = re.escape(f"def {self.name}(")
        above = self.path.read_text(encoding="utf-8")
        found = re.search(rf"@fuzz\((\d+)\)\n(?:@.*\n)*{head}", above)
        return None if found is None else int(found[1])


PROMISES = (
    Promise(
        "A fetched file is written into the cache alone, under a name made of a digest",
        "catalog/test_fetch.py::test_nothing_is_written_outside_the_cache",
    ),
    Promise(
        "A catalog names no file outside its folder, by path or by link",
        "catalog/test_addresses.py::test_addresses_do_not_leave_the_catalogs_folder",
    ),
    Promise(
        "Files of other machines come by https, redirected or not",
        "catalog/test_fetch.py::test_other_machines_are_asked_by_https_alone",
    ),
    Promise(
        "What is fetched is opened before it is pinned",
        "catalog/test_fetch.py::test_a_login_page_is_not_pinned",
    ),
    Promise(
        "Parts of two files are never joined",
        "catalog/test_fetch.py::test_a_rest_of_another_file_is_not_joined_on",
    ),
    Promise(
        "A file that differs from its pin is not read",
        "images/sources/test_remote.py::test_a_file_that_differs_from_its_pin_is_not_read",
    ),
    Promise(
        "TorchScript runs only where it is trusted",
        "learn/test_segmenters.py::test_torchscript_is_code_and_runs_only_if_it_is_trusted",
    ),
    Promise(
        "A factory, and the package around it, runs only where it is trusted",
        "cli/test_networks.py::test_a_factory_needs_trust_in_the_study_or_on_the_command_line",
    ),
    Promise(
        "A name cannot act on a terminal",
        "test_neutral.py::test_no_name_of_a_catalog_reaches_the_terminal_as_an_escape",
    ),
    Promise(
        "A cell of a CSV is no formula", "test_neutral.py::test_a_spreadsheet_calculates_nothing"
    ),
    Promise(
        "A text is no command of LaTeX", "test_neutral.py::test_latex_has_no_commands_but_ours"
    ),
    Promise(
        "A hostile study runs nothing in a browser, from no page and no Markdown",
        "report/test_hostile.py::test_pages_of_a_hostile_study_run_nothing",
    ),
    Promise(
        "Two that add to a catalog at once lose nobody's rows",
        "catalog/test_add.py::test_adding_at_once_loses_nobodys_rows",
    ),
    Promise(
        "A filter says the same at each look",
        "catalog/test_table.py::test_a_filter_is_a_function_of_the_row",
    ),
    Promise(
        "What only resembles a number is none",
        "catalog/test_add.py::test_what_only_resembles_a_number_is_none",
    ),
    Promise(
        "A network that gives NaN is an error",
        "learn/test_prediction.py::test_a_network_that_gives_no_numbers_is_an_error_and_no_empty_mask",
    ),
    Promise(
        "Results that can only be read can be looked at",
        "cli/test_archives.py::test_an_archive_can_be_looked_at",
    ),
    Promise(
        "No result is lost, doubled or invented, whatever is killed, stopped or full",
        "simulation/test_simulation.py::test_every_result_is_there_once_whatever_happens",
    ),
    Promise(
        "Workers end with the last runner, also when it was killed",
        "run/test_interruptions.py::test_workers_whose_runner_vanished_give_back_their_jobs_and_end",
    ),
    Promise(
        "Another program that reads the database stops no run",
        "run/test_intake.py::test_a_viewer_holds_up_no_run",
    ),
    Promise(
        "A forged test is found by computing it once more",
        "api/test_verifying.py::test_a_forged_record_is_told_and_set_aside",
    ),
    Promise(
        "A signed record that was changed is told",
        "store/test_signatures.py::test_a_changed_record_and_one_of_another_signature_are_broken",
    ),
    Promise("Any study file: read, or one clear error", "fuzz/test_files.py::test_studies"),
    Promise("Any catalog", "fuzz/test_files.py::test_catalogs"),
    Promise("Any metadata", "fuzz/test_files.py::test_metadata"),
    Promise("Any condition in SQL", "fuzz/test_files.py::test_filters"),
    Promise("Any image", "fuzz/test_files.py::test_images"),
    Promise("Any label", "fuzz/test_files.py::test_labels"),
    Promise("Any weights", "fuzz/test_files.py::test_weights"),
    Promise("Any record, and the others are there", "fuzz/test_records.py::test_odd_values"),
)


def rows() -> list[str]:
    """The promises and their tests, a row each, but for how often they are tried."""
    return [f"| {one.says} | `{one.test}` |" for one in PROMISES]


def table() -> str:
    """All of them, with how often each is tried: cases in a run of the tests, and in a long one."""
    cases = dict(_collected())
    lines = ["| promise | test | tried |", "|---|---|---|"]
    for one, row in zip(PROMISES, rows(), strict=True):
        fuzzed = one.fuzzed()
        tried = str(cases[one.test]) if fuzzed is None else f"{fuzzed}; {LONG_RUN:,} by `make fuzz`"
        lines.append(f"{row} {tried} |")
    return "\n".join(lines) + "\n"


def _collected() -> Iterator[tuple[str, int]]:
    """How many cases each test has."""
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", ""]
    asked += [f"tests/{one.test}" for one in PROMISES]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, env=dict(os.environ))
    found = [line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line]
    for one in PROMISES:
        yield one.test, found.count(f"tests/{one.test}")


def main() -> None:
    """Write the table into the pages."""
    made = table()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        page.write_text(f"{before}{BEGIN}{made}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
