"""The objective of a training: its loss, and the optimizer and schedule that lower it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from studyspec.plugins.contracts import Loss, Schedule
from studyspec.plugins.guard import blamed, broken_promise
from studyspec.plugins.registry import LOSSES, SCHEDULES
from studyspec.plugins.settings import Settings
from studyspec.spec.sections import TrainingNumbers
from studyspec.spec.uses import Bound, Learning, bound


@dataclass(frozen=True)
class Objective:
    """What is minimized, and how."""

    minimized: Bound[Loss[Settings]]
    schedule: Bound[Schedule[Settings]]
    numbers: TrainingNumbers

    @classmethod
    def of(cls, learning: Learning) -> Objective:
        """That of a training; raises PluginError if loss or schedule is not installed."""
        return cls(
            bound(LOSSES, learning.loss), bound(SCHEDULES, learning.schedule), learning.training
        )

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """One number, from logits (B, 2, H, W) and labels (B, H, W); NaN where training diverges.

        Raises
        ------
        PluginError
            If the loss fails, or gives anything else, or what no gradient comes from.
        """
        one = self.minimized
        with blamed(LOSSES.kind, one.found):
            found: object = one.plugin.loss(logits, labels, one.settings)
        if not isinstance(found, Tensor) or found.dim() or not found.is_floating_point():
            told = (
                f"a tensor of shape {tuple(found.shape)} and type {found.dtype}"
                if isinstance(found, Tensor)
                else f"a {type(found).__name__}"
            )
            raise broken_promise(LOSSES.kind, one.found, f"it gives {told}, not one real number")
        if logits.requires_grad and not found.requires_grad:
            raise broken_promise(LOSSES.kind, one.found, "it gives what no gradient comes from")
        return found

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) of what is trained."""
        kind = torch.optim.AdamW if self.numbers.optimizer == "adamw" else torch.optim.Adam
        return kind(
            [weights for weights in network.parameters() if weights.requires_grad],
            lr=self.numbers.learning_rate,
            weight_decay=self.numbers.weight_decay,
            fused=True,
        )

    def set_rate(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
        """Set the learning rate of a step of a training, counted from 0 to `steps` - 1.

        Raises
        ------
        PluginError
            If the schedule fails, or gives no finite number from 0 on.
        """
        one = self.schedule
        with blamed(SCHEDULES.kind, one.found):
            factor: object = one.plugin.factor(step, steps, one.settings)
        if not isinstance(factor, int | float) or not math.isfinite(factor) or factor < 0:
            what = f"its factor of step {step} of {steps} is {factor!r}, no number from 0 on"
            raise broken_promise(SCHEDULES.kind, one.found, what)
        for group in optimizer.param_groups:
            group["lr"] = self.numbers.learning_rate * factor
