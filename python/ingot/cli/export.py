"""``ingot export``: a model of the user's code to a file."""

from __future__ import annotations

from pathlib import Path

import ingot
from ingot.cli.user_code import make_inputs, make_model
from ingot.errors import Error


def run(maker: str, inputs_maker: str | None, output: Path, script: bool) -> None:
    """Traces or scripts the model and saves it."""
    if script == (inputs_maker is not None):
        raise Error(
            "a traced model needs --inputs, a scripted one none",
            hint="give either --inputs PKG.MOD:MAKE_INPUTS or --script",
        )
    model = make_model(maker)
    if inputs_maker is None:
        module = ingot.script(model)
    else:
        module = ingot.trace(model, make_inputs(inputs_maker))
    module.save(output)
    print(f"{output}: {output.stat().st_size:,} bytes")
