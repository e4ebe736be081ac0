"""Foreign networks: weights that a study names instead of a training."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, JsonValue, ValidationError, model_validator

from studyspec.plugins.settings import Settings, fault
from studyspec.spec.layers import merged
from studyspec.spec.sections import PreprocessSettings


class ForeignNetwork(Settings):
    """A network that was trained elsewhere: a row of the matrix, without folds and diagonal."""

    weights: str | None = Field(
        None,
        min_length=1,
        description="Its file, relative to the project root: .safetensors of the residual U-Net "
        "(a released or an own one), .pt (TorchScript) or .onnx.",
        examples=["networks/theirs.safetensors", "networks/theirs.onnx"],
    )
    factory: str | None = Field(
        None,
        pattern=r"^\w+(\.\w+)*:\w+$",
        description="package.module:function that returns a torch module; it is handed the path of "
        "the weights, if there are any.",
        examples=["my_networks.segmenter:build"],
    )
    source: str | None = Field(
        None,
        description="Where it is from, for the report.",
        examples=["doi:10.5281/zenodo.0000000"],
    )
    licence: str | None = Field(
        None, description="Under which licence, for the report.", examples=["CC-BY-4.0"]
    )
    trust: bool = Field(
        False,
        description="Whether to run it if it is code, as TorchScript and a factory are: it can do "
        "all that you can. ONNX and safetensors need no trust.",
    )
    output: Literal["logits", "probabilities"] = Field(
        "logits",
        description="What comes out for images (B, 1, H, W): two channels, background and particle,"
        " or one of the particle.",
    )
    preprocess: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="How its images are prepared, where that differs from the study's "
        "[preprocess]; a network of studyspec says so itself.",
        examples=[{"rescale": {"method": "normalize"}}],
    )

    @model_validator(mode="after")
    def one_way_in(self) -> Self:
        """Refuse a network that is nowhere, or prepared in a way that there is not."""
        if self.weights is None and self.factory is None:
            raise fault("name its weights or a factory")
        try:
            tables = merged(PreprocessSettings().model_dump(mode="json"), self.preprocess)
            PreprocessSettings.model_validate(tables)
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(["preprocess", *map(str, first["loc"])])
            raise fault(first["msg"], at=at) from None
        return self
