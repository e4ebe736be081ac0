"""Tables made of plug-ins: a key for each of a kind, or one chosen by name. Knows no setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, cast

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, create_model

from studyspec.plugins.contracts import Plugin, Tabled
from studyspec.plugins.registry import ARCHITECTURES, LOSSES, SCHEDULES, Registry
from studyspec.plugins.settings import Settings, fault
from studyspec.spec.wording import nearest

Table = TypeVar("Table", bound=Settings)
CHOSEN: Mapping[str, Registry[Tabled[Settings]]] = {
    "model": ARCHITECTURES,
    "loss": LOSSES,
    "schedule": SCHEDULES,
}
"""Tables that hold one plug-in, chosen by `name`."""
DEFAULTS = {"model": "residual_unet", "loss": "cross_entropy", "schedule": "constant"}
"""The one that a table without a name means: that of the paper."""
NAME = "name"


class Chosen(Settings):
    """The table of a plug-in that is chosen by its name."""

    name: str


def with_plugins(base: type[Table], registry: Registry[Plugin]) -> type[Table]:
    """A table with a key for each plug-in of a kind that has a table.

    Standard ones are always there; others are None until a study names them.
    """
    fields: dict[str, Any] = {}  # as `create_model` takes them
    for plugin in registry:
        if not isinstance(plugin, Tabled):
            continue
        meaning = (plugin.settings.__doc__ or plugin.name).strip().partition("\n")[0]
        if plugin.standard:
            fields[plugin.name] = (plugin.settings, plugin.settings())
        else:
            fields[plugin.name] = (plugin.settings | None, Field(None, description=meaning))
    made: type[Table] = create_model(
        base.__name__, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **fields
    )
    return made


def one_of(key: str) -> Any:  # a type that is made at run time
    """The type of a table of `CHOSEN`: the settings of each plug-in of its kind, with its name."""
    registry, default = CHOSEN[key], DEFAULTS[key]
    models = {plugin.name: named_model(plugin) for plugin in registry}
    names = [f"{p.name}:..." if getattr(p, "family", False) else p.name for p in registry]

    def check(value: object) -> object:
        given = value.get(NAME, default) if isinstance(value, Mapping) else None
        if isinstance(given, str) and base_name(given) not in models:
            broken = [one.text for one in registry.broken if one.name == base_name(given)]
            hint = broken[0] if broken else nearest(given, names)
            raise fault(f"no {registry.kind} '{given}' is installed; {hint}", at=NAME)
        return value

    def tag(value: object) -> str:
        found = value.get(NAME) if isinstance(value, Mapping) else getattr(value, NAME, None)
        return f"<{base_name(found) if isinstance(found, str) else default}>"

    members = tuple(Annotated[model, Tag(f"<{name}>")] for name, model in models.items())
    return Annotated[Union[members], Discriminator(tag), BeforeValidator(check)]  # noqa: UP007


def default_of(key: str) -> Chosen:
    """What a table of `CHOSEN` is where a study does not give it."""
    return named_model(CHOSEN[key].get(DEFAULTS[key])).model_validate({})


@cache
def named_model(plugin: Tabled[Settings]) -> type[Chosen]:
    """The settings of a plug-in with its name beside them."""
    name, family = plugin.name, getattr(plugin, "family", False)
    default = name in DEFAULTS.values()
    # A type that is made at run time; the fields that both bases have are those of the plug-in.
    kind: Any = Annotated[str, AfterValidator(_whole_name)] if family else Literal[name]
    bases: tuple[type[Settings], ...] = (plugin.settings, Chosen)
    made = create_model(
        plugin.settings.__name__,
        __base__=bases,
        __module__=plugin.settings.__module__,
        __doc__=plugin.settings.__doc__,
        name=(
            kind,
            Field(name, description="Which one.") if default else Field(description="Which one."),
        ),
    )
    return cast(type[Chosen], made)


def _whole_name(name: str) -> str:
    """Refuse the name of a family without what is meant of it."""
    if not name.partition(":")[2].strip():
        raise fault(f"'{name}' is a family: name one of it, as '{base_name(name)}:NAME'")
    return name


def base_name(name: str) -> str:
    """The plug-in of a name: "monai" of "monai:DynUNet"."""
    return name.partition(":")[0]


def carried(key: str, old: Mapping[str, object], new: Mapping[str, object]) -> Mapping[str, object]:
    """What stays of a chosen table under another: all, or what both have if the name changes."""
    given = new.get(NAME)
    if key not in CHOSEN or not isinstance(given, str) or given == old.get(NAME):
        return old
    for plugin in CHOSEN[key]:
        if plugin.name == base_name(given):
            return {k: v for k, v in old.items() if k in plugin.settings.model_fields}
    return {}


def tables_in(model: type[Settings]) -> Iterator[tuple[str, type[Settings]]]:
    """The tables directly below a table, by key; a chosen one once for each of its forms."""
    for key, field in model.model_fields.items():
        for inner in _models(field.annotation):
            yield key, inner


def _models(annotation: object) -> Iterator[type[Settings]]:
    if isinstance(annotation, type):
        if issubclass(annotation, Settings):
            yield annotation
        return
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
