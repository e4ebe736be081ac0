"""Schema: the study file as JSON Schema, for the editors that complete and check TOML.

It can say less than `loading`: names of datasets, columns and cross-table rules stay there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studyspec.spec.dotted import setting_names
from studyspec.spec.names import BASE, JOINTS, QUOTES
from studyspec.spec.study import Study
from studyspec.spec.variants import TABLES

Schema = dict[str, Any]  # JSON Schema: what stands below a key follows from the key
FIRST = ("extends", "study", "catalog", "datasets", "matrix")
QUOTED = QUOTES.replace("\\", r"\\")


def json_schema() -> Schema:
    """The schema of a whole study file, profiles and common included."""
    schema: Schema = _plain(Study.model_json_schema(by_alias=True))
    definitions = schema["$defs"]
    tables = schema["properties"]
    definitions["Sweep"] = _sweep(schema)
    definitions["Variant"] = _variant(schema)
    tables["sweep"] = {"$ref": "#/$defs/Sweep"}
    tables["variants"] |= {
        "additionalProperties": {"$ref": "#/$defs/Variant"},
        "propertyNames": {"pattern": rf"^[^\[\]=,{QUOTED}]+$", "not": {"const": BASE}},
    }
    tables["datasets"]["propertyNames"] = {"pattern": rf"^[^{JOINTS}{QUOTED}]+$"}
    definitions["Profile"] = _profile(schema)
    tables["profiles"] = {
        "title": "Profiles",
        "description": "Tables merged over the file by --profile NAME.",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/Profile"},
        "examples": [{"paper": {"training": {"epochs": 250}}}],
    }
    tables["extends"] = {
        "title": "Extends",
        "description": "Another file, named from the folder of this one, whose tables lie under "
        "those of this one: all but [study] and [[claims]].",
        "type": "string",
        "minLength": 1,
        "examples": ["common.toml"],
    }
    schema["if"] = {"required": ["extends"]}
    schema["then"] = {"required": ["study"]}
    schema["else"] = {"required": schema.pop("required")}
    schema["properties"] = {key: tables[key] for key in dict.fromkeys((*FIRST, *tables))}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _plain(schema: object) -> Any:
    """A schema without null, which TOML lacks, and with the default as example of a setting."""
    if isinstance(schema, list):
        return [_plain(inner) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {k: _plain(v) for k, v in schema.items() if (k, v) != ("default", None)}
    forms = [form for form in out.get("anyOf", []) if form != {"type": "null"}]
    if len(forms) == 1:
        out = forms[0] | {k: v for k, v in out.items() if k != "anyOf"}
    elif forms:
        out["anyOf"] = forms
    if "$ref" in out:
        out.pop("default", None)
    elif "default" in out:
        out.setdefault("examples", [out["default"]])
    return out


def _variant(schema: Schema) -> Schema:
    tables = {name: schema["properties"][name] for name in TABLES}
    return {
        "title": "Variant",
        "description": "Changes to the plain study; a sweep makes one variant for each point.",
        "type": "object",
        "properties": tables | {"sweep": {"$ref": "#/$defs/Sweep"}},
        "additionalProperties": False,
        "examples": [{"preprocess": {"flat_field": {"enabled": False}}}],
    }


def _sweep(schema: Schema) -> Schema:
    """Lists of the values of each setting, by dotted name."""
    lists = {}
    for name in setting_names():
        setting = _setting(schema, name)
        lists[name] = {
            "title": name,
            "description": setting["description"],
            "type": "array",
            "minItems": 1,
            "items": {k: v for k, v in setting.items() if k not in ("default", "examples")},
        }
    return {**schema["properties"]["sweep"], "properties": lists, "additionalProperties": False}


def _setting(schema: Schema, dotted: str) -> Schema:
    """The schema of one setting; of a plug-in chosen by name, of any that has it."""
    forms = [schema]
    for key in dotted.split("."):
        forms = [
            form
            for table in forms
            if key in table.get("properties", {})
            for form in _forms(schema, table["properties"][key])
        ]
    if len(forms) > 1 and all("const" in form for form in forms):
        return {**forms[0], "const": None, "enum": [form["const"] for form in forms]}
    return forms[0]


def _forms(schema: Schema, found: Schema) -> list[Schema]:
    """A schema with its references followed: itself, or each of its alternatives."""
    if "$ref" in found:
        return [schema["$defs"][found["$ref"].rpartition("/")[2]]]
    return [form for one in found.get("oneOf", ()) for form in _forms(schema, one)] or [found]


def _profile(schema: Schema) -> Schema:
    """Any part of a study file; what it leaves out stands in the file."""
    tables = dict(schema["properties"])
    header = schema["$defs"]["StudyHeader"]
    tables["study"] = {key: value for key, value in header.items() if key != "required"}
    tables["datasets"] = {
        **{k: v for k, v in tables["datasets"].items() if k != "minProperties"},
        "additionalProperties": {"type": "object"},
    }
    search = dict(schema["$defs"]["SearchSettings"])
    tables["search"] = {key: value for key, value in search.items() if key != "required"}
    return {
        "title": "Profile",
        "description": "Tables merged over the file, key by key.",
        "type": "object",
        "properties": tables,
        "additionalProperties": False,
        "examples": [{"training": {"epochs": 250}}],
    }
