"""Wording: pydantic's complaints and near misses in plain English. Knows no file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Sized
from datetime import date
from difflib import get_close_matches

from pydantic_core import ErrorDetails

KINDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "date_type": "a date",
    "plain": "text, a number, true, false or a date",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
BOUNDS = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
}
PATTERNS = {
    r"^[\w.-]+$": "letters, digits, '_', '-' and '.' only",
    r"^\w+(\.\w+)*:\w+$": "package.module:function",
}


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint naming the closest of the right names, or all of them if none is close."""
    right = sorted(set(names))
    close = get_close_matches(name, right, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"expected {listed(right)}" if right else ""


def listed(names: Sequence[str]) -> str:
    """Names in a row, ended by 'or'."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def shown(value: object) -> str:
    """A value as a reader of TOML knows it, shortened."""
    if isinstance(value, Mapping):
        return "an empty table" if not value else f"a table of {', '.join(map(str, value))}"
    if isinstance(value, list | tuple):
        return "an empty list" if not value else f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 40 else f"'{value[:37]}...'"
    return str(value)


def written(value: object) -> str:
    """A value in the name of a variant: text bare, anything else as JSON without spaces."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def sentence(complaints: Sequence[ErrorDetails]) -> tuple[str, str]:
    """What is wrong with one value, and a hint.

    The complaints are of the forms that the value might have had; if it had the kind of one, that
    one's complaint counts.
    """
    of_kind = [c for c in complaints if c["type"] not in KINDS]
    if of_kind:
        return _one(of_kind[0])
    value = complaints[0]["input"]
    kinds = list(dict.fromkeys(KINDS[c["type"]] for c in complaints))
    return f"expected {listed(kinds)}, got {shown(value)}", _kind_hint(kinds, value)


def _kind_hint(kinds: Sequence[str], value: object) -> str:
    if kinds == ["a list"] and not isinstance(value, Mapping):
        return f"put it into brackets: [{json.dumps(value, default=str, ensure_ascii=False)}]"
    if isinstance(value, str) and "text in quotes" not in kinds:
        bare = {"a date": _is_date, "true or false": {"true", "false"}.__contains__}
        bare |= {"a number": _is_number, "a whole number": str.isdecimal}
        if any(bare[kind](value) for kind in kinds if kind in bare):
            return "leave out the quotes"
    return ""


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _one(details: ErrorDetails) -> tuple[str, str]:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind in BOUNDS:
        key, phrase = BOUNDS[kind]
        return f"expected {phrase.format(f'{context[key]:g}')}, got {shown(value)}", ""
    if kind == "literal_error":
        return _choice(str(context["expected"]), value)
    if kind in ("too_short", "too_long"):
        return _length(context, value)
    if kind == "string_too_short":
        return "expected some text, got ''", ""
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        wanted = PATTERNS.get(pattern, f"text of the pattern {pattern}")
        return f"expected {wanted}, got {shown(value)}", ""
    if kind == "filter_form":
        return _filter_form(details["msg"], value)
    if kind == "finite_number":
        return f"expected a finite number, got {shown(value)}", ""
    return details["msg"], ""


def _choice(expected: str, value: object) -> tuple[str, str]:
    names = [name.strip("'") for name in expected.replace(" or ", ", ").split(", ")]
    close = get_close_matches(value, names, n=1) if isinstance(value, str) else []
    hint = f"did you mean '{close[0]}'?" if close else ""
    return f"expected {expected}, got {shown(value)}", hint


def _length(context: Mapping[str, int | None], value: Sized) -> tuple[str, str]:
    least, most = context.get("min_length"), context.get("max_length")
    few = len(value) < least if least is not None else False
    bound = f"at least {least}" if few else f"at most {most}"
    number = least if few else most
    what = "entry" if number == 1 else "entries"
    return f"expected {bound} {what}, got {shown(value)}", ""


def _filter_form(message: str, value: object) -> tuple[str, str]:
    forms = ("near", "within", "min", "max", "not", "like")
    keys = [str(key) for key in value] if isinstance(value, Mapping) else []
    close = [match for key in keys for match in get_close_matches(key, forms, n=1)]
    hint = f"did you mean '{close[0]}'?" if close else ""
    return f"{message}, got {shown(value)}", hint
