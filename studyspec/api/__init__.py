"""All that the command line can do, as functions: for notebooks, programs, and the command line.

Brings the rooms together and prints nothing; what happens on the way goes to a listener. Paths are
text or Path; results are frozen values. `catalog` has the commands on catalogs.
"""

from studyspec.api import catalog, networks, records
from studyspec.api.answers import edits, export, matrix, report, summarize
from studyspec.api.checking import CheckedStudy, check
from studyspec.api.courses import StudyLook, Until
from studyspec.api.deciding import UntilDecided, run_until_decided, seconds_of
from studyspec.api.engines import Cancelled, cancel
from studyspec.api.found import FOLDERS as NETWORK_FOLDERS
from studyspec.api.found import find as find_networks
from studyspec.api.frames import MatrixRows, Rows
from studyspec.api.inventory import Inventory, left_out, plugins
from studyspec.api.measuring import draw_particles, measure_particles, size_distribution
from studyspec.api.notebook import (
    OpenResults,
    Scope,
    compare,
    named_queries,
    open_results,
    sql,
    words,
)
from studyspec.api.planning import STATES, PlannedStudy, estimate, past_seconds, plan, plan_checked
from studyspec.api.power import Expected, Power, power
from studyspec.api.predicting import (
    FailedImage,
    Predicted,
    PredictedImage,
    PredictOptions,
    predict,
)
from studyspec.api.running import Listener, fetch, run, work
from studyspec.api.scoring import Scored
from studyspec.api.scoring import score as test
from studyspec.api.standing import Standing, overview, status
from studyspec.api.starter import init, schema
from studyspec.api.trusting import Trusted, trust
from studyspec.api.upkeep import clean, ingest
from studyspec.api.verifying import Sample, verify
from studyspec.api.workplace import HERE, Workplace, study_files
from studyspec.run.events import Event, Summary
from studyspec.run.recomputing import Comparison
from studyspec.run.runner import Options
from studyspec.spec.extends import profile_names as profiles_of
from studyspec.store.snapshot import Limits

__all__ = [
    "HERE",
    "NETWORK_FOLDERS",
    "STATES",
    "Cancelled",
    "CheckedStudy",
    "Comparison",
    "Event",
    "Expected",
    "FailedImage",
    "Inventory",
    "Limits",
    "Listener",
    "MatrixRows",
    "OpenResults",
    "Options",
    "PlannedStudy",
    "Power",
    "PredictOptions",
    "Predicted",
    "PredictedImage",
    "Rows",
    "Sample",
    "Scope",
    "Scored",
    "Standing",
    "StudyLook",
    "Summary",
    "Trusted",
    "Until",
    "UntilDecided",
    "Workplace",
    "cancel",
    "catalog",
    "check",
    "clean",
    "compare",
    "draw_particles",
    "edits",
    "estimate",
    "export",
    "fetch",
    "find_networks",
    "ingest",
    "init",
    "left_out",
    "matrix",
    "measure_particles",
    "named_queries",
    "networks",
    "open_results",
    "overview",
    "past_seconds",
    "plan",
    "plan_checked",
    "plugins",
    "power",
    "predict",
    "profiles_of",
    "records",
    "report",
    "run",
    "run_until_decided",
    "schema",
    "seconds_of",
    "size_distribution",
    "sql",
    "status",
    "study_files",
    "summarize",
    "test",
    "trust",
    "verify",
    "words",
    "work",
]
