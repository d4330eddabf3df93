"""Programs with mistakes put in at random: the compiler says what is wrong, or compiles them."""

import importlib.util
import random

import pytest
from mutate import mutated
from test_programs import NAMES, PROGRAMS

import ingot

SEEDS = range(48)


@pytest.mark.parametrize("seed", SEEDS)
def test_mutation(seed, tmp_path):
    rng = random.Random(seed)
    name = rng.choice(NAMES)
    source = mutated((PROGRAMS / f"{name}.py").read_text(), rng)
    if source is None:
        return  # no Python any more
    path = tmp_path / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(f"mutation{seed}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        target = module.target()
    except Exception:
        return  # Python refuses it as well
    try:
        ingot.script(target)
    except ingot.Error as error:
        text = str(error)
        for internal in ("Traceback", "compiler failed", "invalid program"):
            assert internal not in text, f"{text}\n{source}"
