"""Verify every library in an environment of its own, with its newest versions and with the oldest that are promised.

`nox` verifies all that is new, and writes the matrix; `nox -s "field(onnx)"` verifies one environment; `nox -s oldest`
what is old; `nox -s examples` runs the examples, each with what it needs. What comes after `--` are options of
attention-tests.
"""

from __future__ import annotations

from pathlib import Path

import nox
from packaging.requirements import Requirement

ENVIRONMENTS = {
    "numpy": [],
    "torch": ["torch", "transformers", "x-transformers", "array-api-torch"],
    "torch-compiled": ["torch"],
    "keras-torch": ["keras-torch"],
    "onnx": ["onnx", "onnxruntime"],
    "jax": ["jax", "flax", "keras", "keras-jax", "openvino", "keras-openvino"],
    "tensorflow": ["tensorflow", "keras-tensorflow"],
    "mlx": ["mlx"],
    "tinygrad": ["tinygrad"],
    "paddle": ["paddle"],
    "array-api": ["array-api"],
}
"""The extras that are installed next to each other: what goes with several stands where all that it needs does."""

WITHOUT_A_LIBRARY = ["numpy", "numpy-online", "numpy-layer", "numpy-steps"]
"""The implementations that are written with NumPy alone: they adapt no library of the field."""
FEWER = "--profile=quick"
OPTIONS = {
    "torch": ["-k", "not compiled and not flex"],
    "torch-compiled": ["-k", "compiled or flex"],
    "keras-torch": ["-k", "keras"],
}

EXAMPLES = {
    "c": [],
    "kernelbench": ["torch"],
    "triton": ["torch", "triton>=3.9"],
    "pallas": ["jax>=0.10"],
    "numba_cuda": ["numba>=0.68"],
    "torch_compile": ["torch"],
}
"""The packages that each example needs besides the project."""

HERE = Path(__file__).parent
REPORTS, OLDEST = HERE / "build" / "field", HERE / "build" / "oldest"
KEPT = {
    "JAX_COMPILATION_CACHE_DIR": str(HERE / "build" / "jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}
"""Where JAX keeps what it compiles, which takes most of its time, for the other processes and for the next run."""
PROJECT = nox.project.load_toml(HERE / "pyproject.toml")["project"]

nox.options.sessions = ["field", "matrix"]
nox.options.reuse_venv = "yes"

everywhere = nox.parametrize("environment", list(ENVIRONMENTS), ids=list(ENVIRONMENTS))


@nox.session
@everywhere
def field(session: nox.Session, environment: str) -> None:
    """Verify all that can be installed together, with the suite as it is developed and everything else new."""
    pinned = HERE.joinpath("requirements.txt").read_text("utf-8").splitlines()
    install(session, ENVIRONMENTS[environment], [line for line in pinned if "==" in line])
    verify(session, environment, REPORTS, *OPTIONS.get(environment, []))


@nox.session(default=False)
@everywhere
def oldest(session: nox.Session, environment: str) -> None:
    """Verify, on fewer problems, with the oldest version of everything that pyproject.toml admits."""
    extras = ENVIRONMENTS[environment]
    lower = [at_its_lowest(one) for one in (*PROJECT["dependencies"], *required(extras))]
    install(session, extras, lower)
    verify(session, environment, OLDEST, *OPTIONS.get(environment, []), FEWER)


@nox.session(default=False)
@nox.parametrize("folder", list(EXAMPLES), ids=list(EXAMPLES))
def examples(session: nox.Session, folder: str) -> None:
    """Run the two commands that the page of an example shows: the right kernel ends with 0, the wrong one with 1."""
    pinned = HERE.joinpath("requirements.txt").read_text("utf-8").splitlines()
    if "torch" in EXAMPLES[folder]:
        # First, and alone, so that no other package brings a build of its own choice.
        session.install(next(pin for pin in pinned if pin.startswith("torch==")))
    others = [one for one in EXAMPLES[folder] if one != "torch"]
    session.install("--constraint=requirements.txt", "--editable=.", *others)
    page = HERE.joinpath("examples", folder, "README.md").read_text("utf-8")
    commands = [line.removeprefix("$ ").split() for line in page.splitlines() if line.startswith("$ ")]
    for code, words in enumerate(commands):
        variables = dict(word.split("=") for word in words[: words.index("attention-tests")])
        session.run(*words[len(variables) :], env=variables, success_codes=[code])


@nox.session
def matrix(session: nox.Session) -> None:
    """Write docs/reference/conformance.md and the table in README.md, of the reports that are there."""
    session.install("--constraint=requirements.txt", "--editable=.")
    new, old = (
        [str(folder / name) for name in ENVIRONMENTS if (folder / name / "report.json").exists()]
        for folder in (REPORTS, OLDEST)
    )
    session.run("python", "-m", "benchmarks.conformance", *new, *(["--oldest", *old] if old else []))


def install(session: nox.Session, extras: list[str], pins: list[str]) -> None:
    """Install the project as users do, with some extras and the versions that are pinned."""
    constraints = Path(session.create_tmp(), "constraints.txt")
    constraints.write_text("\n".join(sorted(set(pins))), "utf-8")
    if any(Requirement(one).name == "torch" for one in required(extras)):
        # First, and alone, so that no other package brings a build of its own choice.
        session.install(next(pin for pin in pins if pin.startswith("torch==")))
    session.install(f"--constraint={constraints}", f"{PROJECT['name']}[{','.join(extras)}] @ {HERE.as_uri()}")


def verify(session: nox.Session, environment: str, reports: Path, *options: str) -> None:
    """Verify all that is installed, in another folder than the checkout, whose packages hide those that are."""
    targets = ["field"] if ENVIRONMENTS[environment] else WITHOUT_A_LIBRARY
    with session.chdir(session.create_tmp()):
        arguments = [*targets, "-n2", f"--report={reports / environment}", *options, *session.posargs]
        session.run("attention-tests", *arguments, env=KEPT)


def required(extras: list[str]) -> list[str]:
    """Return what some extras require."""
    return [one for extra in extras for one in PROJECT["optional-dependencies"][extra]]


def at_its_lowest(requirement: str) -> str:
    """Pin a requirement to its lower bound: `torch>=2.9` becomes `torch==2.9`."""
    needed = Requirement(requirement)
    (lowest,) = (one.version for one in needed.specifier if one.operator == ">=")
    return f"{needed.name}=={lowest}"
