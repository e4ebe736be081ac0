from __future__ import annotations

from studyspec.learn.architectures.residual_unet import RESIDUAL_UNET, ResidualUNetSettings


def test_it_says_what_is_not_published() -> None:
    assert RESIDUAL_UNET.describe(ResidualUNetSettings()) == (
        "residual U-Net, first level 4 filters"
    )
    other = ResidualUNetSettings(kernel_sizes=(5, 3) * 5, dilations=(2,) * 5, norm="instance")
    said = RESIDUAL_UNET.describe(other)
    assert said.endswith("kernels 5 3 5 3 5 3 5 3 5 3, dilations 2 2 2 2 2, instance norm")


def test_images_must_be_multiples_of_16() -> None:
    assert RESIDUAL_UNET.shrinkage(ResidualUNetSettings()) == 16
