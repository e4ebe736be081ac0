"""What tests of the twin simulate."""

from __future__ import annotations

from studyspec.twin.conditions import Conditions

CONDITIONS = Conditions(
    material="Au",
    diameter_nm=5.0,
    support="ultrathin carbon",
    voltage_kv=300.0,
    pixel_scale_nm=0.02,
    dose_e_per_A2=423.0,
    session="2021-08-26",
    width_px=256,
    height_px=256,
    seed=1,
)
