"""docs/ops.md, written from the last whole walk: ``python -m tests.ops.table OUTCOMES.json ...``.

The outcomes of walks (``tests.ops.walk --json``) replace those of the same op and dtype in
tests/ops/outcomes.json, from which the page is rendered.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.ops.walk import DTYPES

from ingot import _ingot

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = ROOT / "tests" / "ops" / "outcomes.json"
PAGE = ROOT / "docs" / "ops.md"

SHORT = {
    "float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int8": "i8",
    "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "u8", "bool": "bool",
    "complex64": "c64", "complex128": "c128",
}  # fmt: skip
MARKS = {"native": "●", "decomposed": "○", "failed": "–", "none": ""}

WHY = {
    "chalf": "its results are complex32, which Ingot does not have",
    "complex": "its results are complex32, which Ingot does not have",
    "view_as_complex": "its results are complex32, which Ingot does not have",
    "hash_tensor": "its results are uint64, which Ingot does not have",
    "item": "torch.export takes no item of complex tensors",
    "linspace": "PyTorch's values are the ones that are off: it rounds each step to the dtype",
    "linspace.tensor_overload": "PyTorch cuts the ends to integers first, and rounds each step",
    "cov": "the sample divides by zero: which parts are infinite and which NaN differs",
    "nn.functional.scaled_dot_product_attention": "with dropout, whose products round elsewhere",
    "logspace": "PyTorch's values are the ones that are off: it rounds each step to the dtype",
    "logspace.tensor_overload": "PyTorch's values are off: it rounds each step to the dtype",
    "matrix_exp": "PyTorch's values are not finite; Ingot's are those of f64, rounded",
    "linalg.lstsq": "the sizes of residuals that drivers gelss and gelsd give depend on data",
    "linalg.lstsq.grad_oriented": "the sizes of residuals that gelss and gelsd give depend on data",
    "sparse.mm.reduce": "Ingot has no sparse tensors",
    "sparse.sampled_addmm": "Ingot has no sparse tensors",
    "to_sparse": "Ingot has no sparse tensors",
    "special.bessel_j0": "PyTorch's values are the ones that are off: tests/ops/test_special.py",
    "special.bessel_j1": "PyTorch's values are the ones that are off: tests/ops/test_special.py",
    "special.bessel_y1": "PyTorch's values are the ones that are off: tests/ops/test_special.py",
}
"""What the walk's finding does not say itself, shown before it."""

Outcomes = dict[str, dict[str, dict[str, str]]]
"""op -> dtype -> {"status", "reason"}; and its catalogue ops under "ops"."""


def stored() -> dict[str, Any]:
    return json.loads(OUTCOMES.read_text())


def merge(units: list[dict[str, Any]], into: dict[str, Any]) -> None:
    for unit in units:
        row = into.setdefault(unit["op"], {"dtypes": {}, "ops": []})
        if unit["status"] == "none":
            row["dtypes"].pop(unit["dtype"], None)
            continue
        entry = {"status": unit["status"]}
        if unit["status"] == "failed":
            entry["reason"] = " ".join(unit["reason"].split())[:160]
        row["dtypes"][unit["dtype"]] = entry
        row["ops"] = sorted({*row["ops"], *unit["ops"].split()})


def render(outcomes: dict[str, Any]) -> str:
    dtypes = list(DTYPES)
    lines = [
        "# Operators",
        "",
        "Written by `make ops-table` from a walk through PyTorch's OpInfo database: every sample",
        "taken is traced, saved, loaded and run, interpreted and planned, and held against",
        "PyTorch's result. ● a kernel of that name, ○ other ops of the catalogue, by PyTorch's",
        "decompositions, – not supported (the reason is below), nothing: PyTorch has no sample.",
        "",
        "| | " + " | ".join(SHORT[d] for d in dtypes) + " |",
        "|---|" + "---:|" * len(dtypes),
    ]
    counts = {d: Counter(r["dtypes"][d]["status"] for r in outcomes.values() if d in r["dtypes"])
              for d in dtypes}  # fmt: skip
    for status, name in (("native", "native"), ("decomposed", "decomposed"),
                         ("failed", "not supported")):  # fmt: skip
        lines.append(f"| {name} | " + " | ".join(str(counts[d][status]) for d in dtypes) + " |")
    lines += ["", "| op | " + " | ".join(SHORT[d] for d in dtypes) + " |"]
    lines.append("|---|" + ":-:|" * len(dtypes))
    reasons: list[str] = []
    for op, row in sorted(outcomes.items()):
        if not row["dtypes"]:
            continue
        marks = [MARKS[row["dtypes"].get(d, {"status": "none"})["status"]] for d in dtypes]
        lines.append(f"| {op} | " + " | ".join(marks) + " |")
        by_reason: dict[str, list[str]] = {}
        for d in dtypes:
            if "reason" in row["dtypes"].get(d, {}):
                reason = row["dtypes"][d]["reason"]
                reason = f"{WHY[op]} ({reason})" if op in WHY else reason
                by_reason.setdefault(reason, []).append(SHORT[d])
        reasons += [
            f"* **{op}** ({', '.join(names)}): {reason.replace('|', '/')}"
            for reason, names in by_reason.items()
        ]
    lines += ["", "## Not supported or not as PyTorch", "", *(reasons or ["Nothing."])]
    names = [name for name, _, _ in _ingot.catalogue()]
    lines += ["", "## The catalogue", "", f"{len(names)} ops, by their schemas' names:", ""]
    lines += [f"`{name}`" for name in sorted(names)]
    return "\n".join(lines) + "\n"


def main() -> None:
    outcomes = stored() if OUTCOMES.exists() else {}
    for path in sys.argv[1:]:
        merge(json.loads(Path(path).read_text()), outcomes)
    OUTCOMES.write_text(json.dumps(outcomes, indent=0, sort_keys=True, ensure_ascii=False) + "\n")
    PAGE.write_text(render(outcomes))


if __name__ == "__main__":
    main()
