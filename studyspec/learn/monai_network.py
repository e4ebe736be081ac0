"""A network of MONAI, made by the name of its class and held to one output."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from pydantic import JsonValue
from torch import Tensor, nn

from studyspec.errors import LearnError
from studyspec.spec.wording import nearest

FILLED_IN = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
HINT = "see its arguments in the documentation of monai.networks.nets"


class MonaiNetwork(nn.Module):
    """A network whose only output are the logits.

    Parameters
    ----------
    name
        Of its class.
    network
        Images (B, 1, H, W) to (B, 2, H, W), or to a list that holds nothing else.
    """

    def __init__(self, name: str, network: nn.Module) -> None:
        super().__init__()
        self._name, self.network = name, network

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> logits (B, 2, H, W).

        Raises
        ------
        LearnError
            If the network fails, or gives anything else.
        """
        try:
            found = self.network(x)
        except (RuntimeError, ValueError, AssertionError) as error:
            if "memory" in str(error):
                raise
            what = f"monai:{self._name} failed on images {tuple(x.shape)}: {_first_line(error)}"
            raise LearnError(what, hint="does it need another preprocess.patch.size?") from error
        if isinstance(found, list | tuple) and len(found) == 1:
            found = found[0]
        if not isinstance(found, Tensor) or found.dim() == x.dim() + 1:
            raise LearnError(
                f"monai:{self._name} gives several outputs",
                hint="set model.arguments.deep_supervision = false if it has that, or take another",
            )
        if found.shape != (len(x), FILLED_IN["out_channels"], *x.shape[2:]):
            raise LearnError(
                f"monai:{self._name} gives {tuple(found.shape)} for images {tuple(x.shape)}",
                hint="take a network that segments and keeps the size of its images",
            )
        return found


def made(name: str, arguments: Mapping[str, JsonValue]) -> MonaiNetwork:
    """The network of a class and its arguments.

    Raises
    ------
    LearnError
        If MONAI is not installed, has no such network, or refuses the arguments.
    """
    kind = _class(name)
    taken = inspect.signature(kind).parameters
    _check(name, arguments, taken)
    filled = {key: value for key, value in FILLED_IN.items() if key in taken}
    try:
        network = kind(**filled, **arguments)
    except Exception as error:  # whatever a class of MONAI raises of its arguments
        what = f"monai:{name} cannot be made: {_first_line(error)}"
        raise LearnError(what, where="model.arguments", hint=HINT) from error
    return MonaiNetwork(name, network)


def _class(name: str) -> type[nn.Module]:
    try:
        from monai.networks import nets
    except ImportError:
        raise LearnError(
            f"the network 'monai:{name}' needs MONAI, which is not installed",
            where="model.name",
            hint="pip install 'studyspec[monai]'",
        ) from None
    classes: dict[str, type[nn.Module]] = {
        key: value
        for key, value in vars(nets).items()
        if inspect.isclass(value) and issubclass(value, nn.Module) and key == value.__name__
    }
    found = classes.get(name)
    if found is None:
        hint = nearest(name, classes)
        raise LearnError(f"MONAI has no network '{name}'", where="model.name", hint=hint)
    return found


def _check(
    name: str, arguments: Mapping[str, JsonValue], taken: Mapping[str, inspect.Parameter]
) -> None:
    """Refuse arguments that a class does not take, or lacks."""
    open_ended = any(each.kind is each.VAR_KEYWORD for each in taken.values())
    named = [key for key, each in taken.items() if each.kind is not each.VAR_KEYWORD]
    for key, value in arguments.items():
        where = f"model.arguments.{key}"
        if key in FILLED_IN:
            what = f"{key} is {FILLED_IN[key]} for micrographs and two classes"
            raise LearnError(what, where=where, hint="leave it out")
        if key == "pretrained" and value:
            what = "weights that others trained would be fetched, and are in no key"
            raise LearnError(what, where=where, hint="leave it out")
        if key not in named and not open_ended:
            hint = nearest(key, [one for one in named if one not in FILLED_IN])
            raise LearnError(f"monai:{name} takes no '{key}'", where=where, hint=hint)
    missing = [
        key
        for key in named
        if taken[key].default is inspect.Parameter.empty
        and key not in arguments
        and key not in FILLED_IN
    ]
    if missing:
        what = f"monai:{name} needs {', '.join(missing)}"
        raise LearnError(what, where="model.arguments", hint=HINT)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
