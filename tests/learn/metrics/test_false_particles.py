from __future__ import annotations

import torch

from studyspec.learn.metrics.false_particles import (
    FALSE_PARTICLES,
    FalseParticleSettings,
)


def test_what_touches_no_label_and_is_large_enough_is_a_false_particle() -> None:
    probability, label = torch.zeros(2, 32, 32), torch.zeros(2, 32, 32, dtype=torch.bool)
    probability[0, 2:8, 2:8] = 0.9  # touches a label
    label[0, 7, 7] = True
    probability[0, 12:18, 12:18] = 0.9  # false
    probability[0, 18, 18] = 0.9  # the same one, by a corner
    probability[0, 25:27, 25:27] = 0.9  # a speck
    probability[1, :4, :9] = 0.6  # false, in an empty patch, at its border
    counts = FALSE_PARTICLES.count(probability, label, FalseParticleSettings(min_area_px=36))
    assert counts["false_particles_n"].tolist() == [1, 1]
    assert counts["false_particles_px"].tolist() == [1024, 1024]
