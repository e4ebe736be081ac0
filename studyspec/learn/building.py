"""Building: from what is said of a network to a torch module. Knows no format of files."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from studyspec.errors import LearnError
from studyspec.learn.freezing import freeze
from studyspec.learn.unet import CLASSES
from studyspec.plugins.contracts import Architecture
from studyspec.plugins.guard import blamed, broken_promise
from studyspec.plugins.registry import ARCHITECTURES
from studyspec.plugins.settings import Settings
from studyspec.spec.choices import default_of
from studyspec.spec.uses import Bound, Use, bound


def default_model() -> Use:
    """The network of the paper, which a file that says nothing holds."""
    settings = default_of("model")
    return Use.of(ARCHITECTURES.get(settings.name), settings)


def build(model: Use, seed: int) -> nn.Module:
    """A network with fresh weights, laid out as its architecture says, on the CPU.

    The same seed gives the same weights; torch's global random state is left as it was.

    Raises
    ------
    PluginError
        If the architecture is not installed, fails, or gives no torch module.
    """
    one = bound(ARCHITECTURES, model)
    with torch.random.fork_rng(devices=[]), blamed(ARCHITECTURES.kind, one.found):
        torch.manual_seed(seed)
        network: object = one.plugin.build(one.settings)
    if not isinstance(network, nn.Module):
        what = f"it built a {type(network).__name__}, not a torch module"
        raise broken_promise(ARCHITECTURES.kind, one.found, what)
    if one.plugin.channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def shrinkage(model: Use) -> int:
    """What height and width of an image must be a multiple of [px]."""
    one = bound(ARCHITECTURES, model)
    with blamed(ARCHITECTURES.kind, one.found):
        return one.plugin.shrinkage(one.settings)


def count_parameters(model: Use, frozen: Sequence[str] = ()) -> int:
    """Number of parameters that are trained; 130,682 of the published network."""
    network = build(model, 0)
    freeze(network, frozen)
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


class Promised(nn.Module):
    """A network held to what its architecture promises: what goes wrong in it is told by name.

    Parameters
    ----------
    network
        Images (B, 1, H, W) to logits (B, 2, H, W).
    one
        Its architecture.
    """

    def __init__(self, network: nn.Module, one: Bound[Architecture[Settings]]) -> None:
        super().__init__()
        self.network, self._one, self._is_first = network, one, True

    def copy(self) -> Promised:
        """Another network of the same weights."""
        return Promised(copy.deepcopy(self.network), self._one)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> logits (B, 2, H, W), of the first batch all finite.

        Weights that are no numbers are the fault of their training, not of the architecture.

        Raises
        ------
        PluginError
            If the network fails, or gives anything else.
        """
        with blamed(ARCHITECTURES.kind, self._one.found):
            found: object = self.network(x)
        wanted = (len(x), CLASSES, *x.shape[2:])
        if not isinstance(found, Tensor) or found.shape != wanted:
            told = tuple(found.shape) if isinstance(found, Tensor) else f"a {type(found).__name__}"
            what = f"its network gives {told} for images {tuple(x.shape)}, not {wanted}"
            raise broken_promise(ARCHITECTURES.kind, self._one.found, what)
        if self._is_first:
            self._check_numbers(x, found)
        return found

    def _check_numbers(self, x: Tensor, found: Tensor) -> None:
        self._is_first = False
        whole = all(bool(torch.isfinite(one).all()) for one in (x, *self.network.parameters()))
        if whole and not bool(torch.isfinite(found).all()):
            what = "its network gives logits that are no numbers (NaN or infinite)"
            raise broken_promise(ARCHITECTURES.kind, self._one.found, what)


def check_size(network: nn.Module, model: Use, size: int, samples: int) -> None:
    """Refuse to train with patches that a network cannot take.

    Parameters
    ----------
    network, model
        The network, and its architecture.
    size, samples
        Edge of the patches [px], and the fewest that the network sees at once.

    Raises
    ------
    LearnError
        With a size that it can take.
    """
    step = shrinkage(model)
    if size % step:
        raise LearnError(
            f"patches of {size} x {size} pixels do not suit the network '{model.name}'",
            hint=f"set preprocess.patch.size to a multiple of {step}",
        )
    norms = any(isinstance(one, nn.BatchNorm2d) for one in network.modules())
    if norms and samples * (size // step) ** 2 < 2:
        raise LearnError(
            f"a batch of one {size} x {size} patch leaves batch norm a single pixel",
            hint=f"set preprocess.patch.size >= {2 * step} or another batch_size",
        )


def promised(network: nn.Module, model: Use) -> Promised:
    """A network of an architecture, held to its promises."""
    return Promised(network, bound(ARCHITECTURES, model))
