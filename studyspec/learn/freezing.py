"""Freezing: parts of a network that a training leaves as they are. Knows no training."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from studyspec.errors import LearnError
from studyspec.spec.wording import nearest


def freeze(network: nn.Module, parts: Sequence[str]) -> tuple[nn.Module, ...]:
    """Take the weights of some parts out of training.

    Parameters
    ----------
    network
        Its weights of these parts get no gradients any more.
    parts
        Names of modules or weights, as "downs" or "downs.0.conv1".

    Returns
    -------
    tuple of nn.Module
        The modules among them: whoever trains keeps these in evaluation mode, so that statistics of
        norms stay too.

    Raises
    ------
    LearnError
        If the network has no part of a name, or nothing is left to train.
    """
    modules = dict(network.named_modules())
    for part in parts:
        inside = [p for name, p in network.named_parameters() if f"{name}.".startswith(f"{part}.")]
        if not inside:
            whole = [name for name, child in network.named_children() if [*child.parameters()]]
            raise LearnError(
                f"the network has no part '{part}' to freeze",
                where="training.freeze",
                hint=nearest(part, whole),
            )
        for parameter in inside:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise LearnError(
            "every part of the network is frozen",
            where="training.freeze",
            hint="leave a part to train",
        )
    return tuple(modules[part] for part in parts if part in modules)
