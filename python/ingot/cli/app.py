"""The commands and their options; each imports its own code when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="ingot",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well, 1 results differ, 2 wrong usage or any error.",
)

File = Annotated[Path, typer.Argument(help="An .ingot file.", show_default=False)]
MethodName = Annotated[str, typer.Option("--method", help="The method to run.")]
Threads = Annotated[
    int | None, typer.Option("--threads", help="Threads of the run; 0: one per core.")
]
PrecisionName = Annotated[
    Literal["f32", "bf16"],
    typer.Option("--precision", help="bf16: faster products of rounded operands."),
]
InputFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="[NAME=]VALUE",
        help='A .npy file, or a number, true, null, a "string" or a list as JSON. Repeat for '
        "each input, in order or by name.",
    ),
]
Maker = Annotated[
    str,
    typer.Option(
        "--module",
        metavar="PKG.MOD:MAKE",
        help="A function without arguments that returns the eager model (or the model itself).",
        show_default=False,
    ),
]
InputsMaker = Annotated[
    str | None,
    typer.Option(
        "--inputs",
        metavar="PKG.MOD:MAKE_INPUTS",
        help="A function without arguments that returns a tuple of example inputs.",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        import ingot

        typer.echo(f"ingot {ingot.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Look into, check and run .ingot files: PyTorch models that need no PyTorch."""


@app.command()
def inspect(
    file: File,
    graph: Annotated[bool, typer.Option("--graph", help="Print the program's SSA text.")] = False,
    code: Annotated[bool, typer.Option("--code", help="Print it as Python-like source.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print the fused steps that a call runs here.")
    ] = False,
    input: InputFiles = None,
    method: MethodName = "forward",
) -> None:
    """Show what a file holds: methods, inputs, guards with their source lines, sizes, ops.

    Examples:

    * `ingot inspect model.ingot`
    * `ingot inspect model.ingot --graph | less`
    * `ingot inspect model.ingot --json | jq .methods[0].inputs`
    * `ingot inspect model.ingot --plan --input x.npy`: the plan depends on the inputs' sizes
    """
    if plan:
        from ingot.cli.profile import show_plan

        show_plan(file, input or [], method)
        return
    from ingot.cli.inspect import run

    run(file, graph=graph, code=code, json=json)


@app.command()
def verify(
    file: File,
    module: Maker,
    inputs: InputsMaker = None,
    input: InputFiles = None,
    sizes: Annotated[
        str, typer.Option(help="Sizes to try for the free dimensions of generated inputs.")
    ] = "1,2,7",
    own_weights: Annotated[
        bool, typer.Option("--own-weights", help="Keep the eager model's own weights.")
    ] = False,
    method: MethodName = "forward",
    rtol: Annotated[
        float | None, typer.Option(help="Relative tolerance instead of the dtype's.")
    ] = None,
    atol: Annotated[
        float | None, typer.Option(help="Absolute tolerance instead of the dtype's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the generated inputs.")] = 0,
) -> None:
    """Compare a file with its eager PyTorch model, at several input sizes.

    The model gets the file's weights. Inputs are made from the file's signature unless they
    are given.

    Examples:

    * `ingot verify model.ingot --module shop.models:make_ranker`
    * `ingot verify model.ingot --module shop.models:make_ranker --inputs shop.models:batch`
    * `ingot verify bert.ingot --module nlp:make --sizes 2,16,128 --rtol 1e-3`
    """
    from ingot.cli.verify import Request, run

    run(
        Request(
            file=file,
            maker=module,
            inputs_maker=inputs,
            input_texts=input or [],
            sizes=sizes,
            own_weights=own_weights,
            method=method,
            rtol=rtol,
            atol=atol,
            seed=seed,
        )
    )


@app.command()
def run(
    file: File,
    input: InputFiles = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", help="A .npy file for each tensor of the result, in order."),
    ] = None,
    method: MethodName = "forward",
    threads: Threads = None,
    precision: PrecisionName = "f32",
) -> None:
    """Run a file on .npy inputs; without --output the result is described.

    Examples:

    * `ingot run model.ingot --input x.npy --output y.npy`
    * `ingot run model.ingot --input ids=ids.npy --input temperature=0.7`
    """
    from ingot.cli.run import run as run_file

    run_file(file, input or [], output or [], method, threads, precision)


@app.command()
def bench(
    file: File,
    input: InputFiles = None,
    method: MethodName = "forward",
    threads: Annotated[
        str, typer.Option(help="Threads of one call, a row for each count; 0: one per core.")
    ] = "0",
    instances: Annotated[
        str, typer.Option(help="Callers at once on one loaded module, a row for each number.")
    ] = "1",
    seconds: Annotated[float, typer.Option(help="Of measuring for each row.")] = 3.0,
    precision: PrecisionName = "f32",
    json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Measure a file: load, first call, the spread of later calls, calls per second.

    Without --input, inputs are zeros from the signature, free sizes as small as they may be.
    Calls are timed one by one from Python; calls/s counts all callers together. Half of the
    calls took at most the median, 99 in 100 at most p99.

    Examples:

    * `ingot bench model.ingot`
    * `ingot bench model.ingot --input x.npy --threads 1,2,4`
    * `ingot bench model.ingot --threads 1 --instances 1,2,4`: what more callers gain
    """
    from ingot.cli.bench import Request, run

    run(Request(file, input or [], method, threads, instances, seconds, precision, json))


@app.command()
def profile(
    file: File,
    input: InputFiles = None,
    method: MethodName = "forward",
    threads: Threads = None,
    precision: PrecisionName = "f32",
    runs: Annotated[int, typer.Option(help="Calls; a step's time is their median.")] = 20,
    top: Annotated[int, typer.Option(help="Steps to show, the slowest first.")] = 30,
    trace: Annotated[
        Path | None,
        typer.Option(help="Write the steps for chrome://tracing and Perfetto to this file."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all steps as JSON.")] = False,
) -> None:
    """Show what each step of a call takes, with the source line that it comes from.

    Without --input, inputs are zeros from the signature, free sizes as small as they may be.
    GFLOP/s and GB/s count what the step must compute, read and write at least.

    Examples:

    * `ingot profile model.ingot --input x.npy --threads 1`
    * `ingot profile model.ingot --input x.npy --trace steps.json`
    """
    from ingot.cli.profile import Request, run

    run(Request(file, input or [], method, threads, precision, runs, top, trace, json))


@app.command()
def export(
    module: Annotated[
        str,
        typer.Argument(
            metavar="PKG.MOD:MAKE",
            help="A function without arguments that returns the model (or the model itself).",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write.", show_default=False)
    ],
    inputs: InputsMaker = None,
    script: Annotated[
        bool, typer.Option("--script", help="Compile the source instead of tracing a run.")
    ] = False,
) -> None:
    """Export a PyTorch model: trace it on example inputs, or compile its source.

    Examples:

    * `ingot export shop.models:make_ranker --inputs shop.models:batch -o ranker.ingot`
    * `ingot export shop.models:make_decoder --script -o decoder.ingot`
    """
    from ingot.cli.export import run as run_export

    run_export(module, inputs, output, script)
