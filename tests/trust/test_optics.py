from __future__ import annotations

import numpy as np
import pytest

from studyspec.trust.optics import LensSetting, phase_difference, wavelength_nm


def test_the_wavelength_at_300_kv_is_1_97_pm() -> None:
    assert wavelength_nm(300.0) == pytest.approx(1.9687e-3, rel=1e-3)


def test_a_difference_of_defocus_turns_the_phase_by_pi_lambda_f_k_squared() -> None:
    found = phase_difference(LensSetting(10.0), LensSetting(-10.0), 0.1)
    greatest = np.pi * wavelength_nm(300.0) * 20 / 0.1**2
    assert found is not None
    assert found.mean == pytest.approx(greatest / 2, rel=1e-3)  # k^2 is uniform over the plane
    assert found.spread == pytest.approx(greatest / np.sqrt(12), rel=1e-2)


def test_equal_lenses_do_not_differ_and_unknown_ones_are_not_compared() -> None:
    same = phase_difference(LensSetting(5.0, 0.01), LensSetting(5.0), 0.1)
    assert same is not None
    assert (same.mean, same.spread) == (0.0, 0.0)
    assert phase_difference(LensSetting(5.0), LensSetting(), 0.1) is None


def test_spherical_aberration_counts_where_both_are_known() -> None:
    found = phase_difference(LensSetting(0.0, 0.01), LensSetting(0.0, 0.0), 0.1)
    greatest = np.pi / 2 * 1e4 * wavelength_nm(300.0) ** 3 / 0.1**4
    assert found is not None
    assert found.mean == pytest.approx(greatest / 3, rel=1e-2)
