"""An exponential moving average of weights, which validates better than the weights of one step."""

from __future__ import annotations

import torch

from studyspec.learn.building import Promised


class Average:
    """The average of a network's weights over the steps of its training.

    Parameters
    ----------
    network
        The network that is trained.
    share
        The share of the old average at each step but the first.

    References
    ----------
    B. T. Polyak, A. B. Juditsky, SIAM J. Control Optim. 30, 838 (1992); with a constant share:
    A. Tarvainen, H. Valpola, "Mean teachers are better role models", NeurIPS 2017.
    """

    def __init__(self, network: Promised, share: float) -> None:
        self.network, self._share = network.copy(), share

    @torch.no_grad()
    def update(self, network: Promised, step: int) -> None:
        """Add the weights after a step; statistics of norms are averaged too, counts taken."""
        share = self._share if step else 0.0
        now = network.state_dict()
        for name, mean in self.network.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], 1 - share)
            else:
                mean.copy_(now[name])
