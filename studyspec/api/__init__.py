"""The commands as functions: check, plan, run, status, sql, report. For notebooks and for the CLI.

Brings the rooms together and prints nothing; what happens on the way goes to a listener.
"""

from studyspec.api.answers import compare, export, matrix, report, sql, summarize
from studyspec.api.checking import CheckedStudy, check
from studyspec.api.planning import PlannedStudy, estimate, plan, plan_checked
from studyspec.api.running import Listener, fetch, run, status
from studyspec.api.workplace import HERE, Workplace

__all__ = [
    "HERE",
    "CheckedStudy",
    "Listener",
    "PlannedStudy",
    "Workplace",
    "check",
    "compare",
    "estimate",
    "export",
    "fetch",
    "matrix",
    "plan",
    "plan_checked",
    "report",
    "run",
    "sql",
    "status",
    "summarize",
]
