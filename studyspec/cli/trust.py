"""The command that says which dice to expect on images without labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.api.trusting import Judged, Learnt, Proposal, Trusted, Validation

BELOW = 1
"""Exit status where an image is below the threshold."""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(trust)


def trust(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Networks (files, or what they were trained on, as material/Au/0), and images or "
            "folders of them.",
            metavar="NETWORK... IMAGES...",
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0, max=1, help="The dice that is wanted.")
    ] = 0.7,
    page: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write an HTML page, sorted by doubt.")
    ] = None,
    pixel_scale_nm: Annotated[
        float | None,
        typer.Option("--pixel-scale-nm", min=1e-6, help="Edge of a pixel of the images [nm]."),
    ] = None,
    dose: Annotated[
        float | None, typer.Option("--dose", min=1e-6, help="Their dose [e/Å^2].")
    ] = None,
    material: Annotated[str | None, typer.Option("--material", help="Their material.")] = None,
    diameter_nm: Annotated[
        float | None,
        typer.Option("--diameter-nm", min=1e-6, help="Their nominal diameter [nm]."),
    ] = None,
    defocus_nm: Annotated[
        float | None, typer.Option("--defocus-nm", help="Their defocus, overfocus positive [nm].")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", help="Their session at the microscope.")
    ] = None,
    metadata: Annotated[
        Path | None,
        typer.Option("--metadata", help="A CSV with the column image and columns of a catalog."),
    ] = None,
    networks: Annotated[
        list[Path] | None,
        typer.Option("--networks", help="Where released networks lie; repeatable."),
    ] = None,
    next_: Annotated[
        int | None,
        typer.Option("--next", min=1, help="Instead: N conditions whose images would help most."),
    ] = None,
    validation: Annotated[
        bool,
        typer.Option("--validation", help="Instead: how well held-out conditions are foretold."),
    ] = False,
    learn: Annotated[
        Path | None,
        typer.Option("--learn", help="Instead: learn from the results alone, into this file."),
    ] = None,
    learn_anew: Annotated[
        bool,
        typer.Option("--learn-anew/--as-learnt", help="Learn from results that have grown."),
    ] = True,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda:0, ...")] = "cpu",
    results: options.AnyResults = options.RESULTS,
    as_json: options.Json = False,
) -> None:
    """On which of these images can which network be trusted? No labels are needed.

    For each of them an expected dice with a 90 % interval and the reason. Exit status 1 if no
    network is expected to reach the threshold on some image.

    Example: studyspec trust material/Au/0 new/*.dm3 --threshold 0.7 -o trust.html
    """
    from studyspec.api import trusting

    place = options.workplace(results)
    if learn is not None:
        learnt = trusting.relearn(learn, place, device=device, on_step=_step)
        typer.echo(f"{learn}: {learnt.told}")
        _print_validation(learnt.validation, as_json)
        return
    if next_ is not None:
        _print_next(trusting.proposals(next_, place, device, _step), as_json)
        return
    if validation:
        _print_learnt(trusting.shipped(), as_json)
        return
    asked, images = trusting.split(paths or [])
    if not asked or not images:
        raise typer.BadParameter("name at least one network and one image")
    known = trusting.Conditions(
        material=material,
        pixel_scale_nm=pixel_scale_nm,
        dose_e_per_A2=dose,
        diameter_nm=diameter_nm,
        session=session,
        defocus_nm=defocus_nm,
    )
    found = trusting.trust(
        asked,
        images,
        place,
        known=known,
        metadata=metadata,
        threshold=threshold,
        page=page,
        learn_anew=learn_anew,
        device=device,
        on_step=_step,
        folders=networks or trusting.FOLDERS,
    )
    _print(found, as_json)
    if page is not None:
        typer.echo(f"page: {page}", err=True)
    if found.below:
        raise typer.Exit(BELOW)


def _print(found: Trusted, as_json: bool) -> None:
    from studyspec.api import trusting

    if as_json:
        told = {
            "threshold": found.threshold,
            "below": [str(image) for image in found.below],
            "learnt_from": found.learnt_from,
            "model_beats_baselines": (
                None if found.validation is None else found.validation.beats_both
            ),
            "rows": [trusting.row_json(one) for one in found.rows],
        }
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    columns = ["image", "network", "dice", "90 %", "nearest", "confidence"]
    typer.echo(table(columns, [_row(one, found.threshold) for one in found.rows]))
    typer.echo("")
    for one in found.rows:
        typer.echo(f"{one.image.name}, {one.network}: {_why(one)}")
    typer.echo("dice: expected, ! below the threshold; nearest, confidence: plain baselines",
               err=True)  # fmt: skip
    typer.echo(f"learnt from {found.learnt_from}", err=True)
    typer.echo(_verdict(found.validation), err=True)


def _row(one: Judged, threshold: float) -> list[str]:
    expected = one.expected
    mark = "!" if expected.dice < threshold else " "
    return [
        one.image.name,
        one.network,
        f"{mark}{expected.dice:.2f}",
        f"{expected.low:.2f}-{expected.high:.2f}",
        "" if expected.nearest is None else f"{expected.nearest:.2f}",
        f"{expected.confidence:.2f}",
    ]


def _why(one: Judged) -> str:
    outside = [f"outside what was ever tested ({what})" for what in one.expected.outside[:2]]
    return "; ".join([*outside, *one.reasons, *one.notes])


def _verdict(validation: Validation | None) -> str:
    if validation is None:
        return "too few conditions to say how well this foretells dice"
    beats = "beats" if validation.beats_both else "does NOT beat"
    return (
        f"on conditions that were held out the model errs by {validation.error:.3f} and {beats} "
        f"both baselines: nearest tested condition {validation.nearest_error:.3f}, confidence "
        f"alone {validation.confidence_error:.3f}"
    )


def _print_learnt(learnt: Learnt, as_json: bool) -> None:
    if not as_json:
        typer.echo(f"learnt from {learnt.told}", err=True)
    _print_validation(learnt.validation, as_json)


def _print_validation(validation: Validation | None, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        told = None if validation is None else asdict(validation)
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    if validation is None:
        typer.echo(_verdict(None))
        return
    columns = ["condition held out", "n", "dice", "error", "nearest", "confidence", "coverage"]
    rows: list[list[object]] = [
        [h.condition, h.n, h.dice, h.error, h.nearest_error, h.confidence_error, h.coverage]
        for h in validation.held
    ]
    total = sum(h.n for h in validation.held)
    rows.append(["all", total, sum(h.n * h.dice for h in validation.held) / total,
                 validation.error, validation.nearest_error, validation.confidence_error,
                 validation.coverage])  # fmt: skip
    typer.echo(table(columns, rows))
    area = "unknown" if validation.auc is None else f"{validation.auc:.3f}"
    typer.echo(f"area under the curve for dice below 0.7: {area}; "
               f"rank correlation {validation.rank_correlation:.3f}")  # fmt: skip
    typer.echo(_verdict(validation), err=True)


def _print_next(found: tuple[Proposal, ...], as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "condition": one.condition.written(),
                "half_width": round(one.half_width, 4),
                "half_width_then": round(one.then, 4),
                "gain": round(one.gain, 5),
                "nearest_tested": one.nearest.written(),
                "command": one.command,
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for number, one in enumerate(found, 1):
        typer.echo(f"{number}. {one.condition.text}: ±{one.half_width:.2f} becomes "
                   f"±{one.then:.2f}; nearest tested: {one.nearest.text}")  # fmt: skip
        typer.echo(f"   {one.command}")


def _step(what: str, done: int, total: int) -> None:
    """Progress on standard error: a line for each tenth."""
    if done == total or done % max(1, total // 10) == 0:
        typer.echo(f"{done} of {total} {what}", err=True)
