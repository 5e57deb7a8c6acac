"""The commands of ``holonomy``. What a command needs is imported when it runs, so that help costs nothing."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from holonomy import __version__
from holonomy.cli.completion import (
    complete_checks,
    complete_data,
    complete_format,
    complete_method,
    complete_methods,
)
from holonomy.cli.failures import FAILED, complain, guarded, run_app
from holonomy.cli.options import parameters_of, shape_of
from holonomy.cli.output import print_json, print_result, print_systems, print_titles, show_alerts, show_notes

app = typer.Typer(
    name="holonomy",
    help="The geometry of data: find it, map it, and show the evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A CSV, TSV, Parquet, NPY, NPZ, Matrix Market (.mtx), JSON lines (.jsonl) or H5AD file, the name of a "
        "data set ('holonomy datasets' lists them), or - for standard input.",
        show_default=False,
        autocompletion=complete_data,
    ),
]
Label = Annotated[str | None, typer.Option(help="Column that labels the rows; it is not used as a coordinate.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
Neighbors = Annotated[
    int | None,
    typer.Option(
        help="Size of the neighbourhoods that everything looks at; 15 by default, or fewer for few rows.", min=2
    ),
]
Impute = Annotated[
    bool, typer.Option("--impute", help="Fill missing values with the median of their column, instead of refusing.")
]
Format = Annotated[
    str | None,
    typer.Option(
        help="Format of the file, as csv or jsonl, where its name does not tell.",
        show_default=False,
        autocompletion=complete_format,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no notes and no progress; map prints nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"holonomy {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Find the geometry of data, map it, and show the evidence."""


@app.command("map")
@guarded
def map_data(
    data: Data,
    method: Annotated[
        str, typer.Option(help="What makes the map, such as umap or pca.", autocompletion=complete_method)
    ] = "umap",
    params: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Parameter of the method; may be given several times."),
    ] = None,
    label: Label = None,
    color: Annotated[
        list[str] | None, typer.Option(help="Column to colour by and to show; may be given several times.")
    ] = None,
    image_shape: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Every row is an image of this shape, as 28x28, or 32x32x3 in colour."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    save: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also write the coordinates (.parquet, .csv, .npy) or the fitted model (.holonomy, for 'holonomy "
            "transform'); may be given several times."
        ),
    ] = None,
    seed: Seed = 0,
    neighbors: Neighbors = None,
    checks: Annotated[
        str,
        typer.Option(
            help="Map again with other seeds and permuted columns: auto (if quick), all or none.",
            autocompletion=complete_checks,
        ),
    ] = "auto",
    impute: Impute = False,
    format: Format = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Map the data into the plane and write one page with the map and the evidence for it."""
    from holonomy._core.files import check_writable
    from holonomy.cli.coordinates import check_format, check_model, save_result

    check_writable(out)
    for path in save or ():
        check_format(path, with_model=True)
        check_writable(path)
    given, shape = parameters_of(params), shape_of(image_shape)
    check_model(save or (), method)
    from holonomy.report import map_report

    report = map_report(
        data,
        method=None if method == "umap" else method,
        params=given,
        labels=label,
        columns=color,
        image_shape=shape,
        n_neighbors=neighbors,
        random_state=seed,
        format=format,
        impute=impute,
        checks=checks,
        show_progress=False if quiet else None,
    )
    if not quiet:
        show_notes(report.notes)
        show_alerts(report.alerts)
    report.save(out)
    for path in save or ():
        save_result(report, path)
    if as_json:
        print_json({"report": str(out), "saved": [str(path) for path in save or ()], **report.to_dict()})
    elif not quiet:
        typer.echo(f"{out}\n{report.summary()}")


@app.command("profile")
@guarded
def profile_data(
    data: Data,
    label: Label = None,
    seed: Seed = 0,
    neighbors: Neighbors = None,
    impute: Impute = False,
    format: Format = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Say what the geometry of the data is, in sentences with uncertainty."""
    from holonomy.cli.profiling import profile_of
    from holonomy.report.sources import read_source

    table = read_source(data, label=label, format=format, impute=impute).table
    if not quiet:
        show_notes(table.notes)
    found = profile_of(table, neighbors, seed, show_progress=False if quiet else None)
    if as_json:
        print_json({"name": table.name, **found.to_dict()})
    else:
        print_result(found)


@app.command("compare")
@guarded
def compare_maps(
    data: Data,
    methods: Annotated[
        str, typer.Option(help="Methods, with commas between them.", autocompletion=complete_methods)
    ] = "umap,pca",
    label: Label = None,
    color: Annotated[
        list[str] | None, typer.Option(help="Column to colour by and to show; may be given several times.")
    ] = None,
    image_shape: Annotated[
        str | None, typer.Option(metavar="HxW", help="Every row is an image of this shape, as 28x28.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("compare.html"),
    seed: Seed = 0,
    neighbors: Neighbors = None,
    impute: Impute = False,
    format: Format = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Map the data by several methods, and write one page with linked maps and what each keeps."""
    from holonomy._core.files import check_writable

    check_writable(out)
    shape = shape_of(image_shape)
    from holonomy.report import compare_report

    report = compare_report(
        data,
        [name.strip() for name in methods.split(",") if name.strip()],
        labels=label,
        columns=color,
        image_shape=shape,
        n_neighbors=neighbors,
        random_state=seed,
        format=format,
        impute=impute,
        show_progress=False if quiet else None,
    )
    report.save(out)
    if as_json:
        print_json({"report": str(out), **report.comparison.to_dict()})
    elif not quiet:
        typer.echo(f"{out}\n{report}")


@app.command("transform")
@guarded
def transform_data(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A file that 'holonomy map --save' has written.")],
    data: Data,
    label: Label = None,
    out: Annotated[Path, typer.Option(help="The coordinates to write: a .parquet, .csv or .npy file.")] = Path(
        "coordinates.csv"
    ),
    impute: Impute = False,
    format: Format = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Place the rows of new data on a map that was made before, by the columns that it was made from."""
    from holonomy._core.files import check_writable
    from holonomy.cli.coordinates import check_format, write_places

    check_format(out, "--out")
    check_writable(out)
    import holonomy
    from holonomy.cli.placing import places_of, wanted_columns
    from holonomy.report.sources import read_source

    fitted = holonomy.load_model(model)
    if not hasattr(fitted, "transform"):
        raise ValueError(f"{model} holds a {type(fitted).__name__}, which cannot place new rows.")
    table = read_source(data, label=label, columns=wanted_columns(fitted), format=format, impute=impute).table
    if not quiet:
        show_notes(table.notes)
    places = places_of(fitted, table, show_progress=False if quiet else None)
    write_places(places, {name: list(values) for name, values in table.labels.items()}, out)
    if as_json:
        print_json({"coordinates": str(out), "points": len(places), "dimensions": places.shape[1]})
    elif not quiet:
        typer.echo(f"{out}\n{len(places):,} rows placed by {type(fitted).__name__}.")


@app.command("methods")
@guarded
def list_methods(
    query: Annotated[str, typer.Argument(help="A number, or words of the title or room.", show_default=False)] = "",
    as_json: Json = False,
) -> None:
    """List the published systems that this library brings together, and which of them are built."""
    from dataclasses import asdict

    from holonomy import catalogue

    found = catalogue.find(query)
    if as_json:
        print_json([asdict(system) for system in found])
    elif not found:
        complain(f"no system matches {query!r}; 'holonomy methods' lists all {len(catalogue.systems())}.")
        raise typer.Exit(FAILED)
    else:
        print_systems(found)


@app.command("datasets")
@guarded
def list_datasets(as_json: Json = False) -> None:
    """List the data sets that can be named instead of a file."""
    from holonomy.datasets import titles

    if as_json:
        print_json(titles())
    else:
        print_titles(titles())


def run() -> None:
    """Run the command line; the entry point of the ``holonomy`` command."""
    try:
        run_app(app)
    finally:
        # At its end the interpreter would search all imported modules for cycles, for half a second.
        gc.freeze()
