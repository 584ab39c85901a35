"""Write docs/reference/onnx-node-tests.md: what ONNX's own node tests of Attention ask for, and what became of each.

python -m tests.reference.onnx_document
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx
from tabulate import tabulate

from attention_tests.environment.suite import FOLDER
from tests.reference.onnx_cases import Case, cases

DOCUMENT = FOLDER / "docs" / "reference" / "onnx-node-tests.md"

HEADERS = ("case", "opset", "dtype", "asks for", "agreed", "not compared")

TEXT = """# ONNX's node tests of Attention

Made by `python -m tests.reference.onnx_document` from the cases in onnx {version}, which
`tests/reference/test_onnx_cases.py` reads. They are a second source: nobody here has written them. Each of the
{number} cases is read as a problem of this project, and what must come out is compared with the reference, which
never computes in float32, bfloat16 or float16: an element agrees if it is inside
the [bound](../explanation/tolerance.md) of the
arithmetic that the operator's text names, everything being computed in the dtype of the inputs. **All agree**, and
none is left out.

- *output*: Y. *weights*: the fourth output in mode 3. *cache*: the keys and values so far, which must be the very same.
- *scores*: the fourth output in modes 0, 1 and 2, which is on the way to the weights, and no output of attention.
- Cases whose name ends in `_expanded` have the arrays of the case without it, and ask the same of the operator's
  function body.
- {same} cannot tell one word from another, for all their values are the same.
- What the cases do not ask for: a mask that is broadcast along the words, a negative scale, a default scale in
  float64. These are where [findings](../findings/) are.

{table}
"""


def document(them: Iterable[Case]) -> str:
    """Return the document."""
    them = list(them)
    same = " and ".join(f"`{case.name}`" for case in them if case.has_one_value)
    rows = [
        (f"`{case.name}`", case.opset, case.dtype, case.asks_for, ", ".join(_agreed(case)), _not_compared(case))
        for case in them
    ]
    table = tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True)
    return TEXT.format(version=onnx.__version__, number=len(rows), same=same, table=table)


def _agreed(case: Case) -> Iterator[str]:
    yield "output"
    if case.gives_weights:
        yield "weights"
    if "present_key" in case.answers:
        yield "cache"


def _not_compared(case: Case) -> str:
    return "scores" if "qk_matmul_output" in case.answers and not case.gives_weights else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(cases()), "utf-8")
