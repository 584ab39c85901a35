"""The declaration of an implementation: its callables, features, dtypes and dialect. Nothing here checks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from attention_tests.declare.dialect import Dialect, Layout
from attention_tests.declare.domain import EVERYWHERE, Abilities, Domain
from attention_tests.declare.features import SHAPING, Feature, Step
from attention_tests.declare.precision import Precision

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    # NumPy reads how many threads it gets when it is imported, and who imports this package may still say it.
    Array = Any


def numpy_array(array: Array, dtype: str) -> Array:
    """Return a copy in the dtype. Raises TypeError for bfloat16."""
    if dtype == "bfloat16":
        # Once ml_dtypes is imported, by anybody, there is a dtype of that name, which was not asked for.
        raise TypeError("NumPy has no bfloat16: `to_native` has to make one")
    return array.astype(dtype)


def _as_numpy_array(answer: Any) -> Array:
    import numpy as np  # noqa: PLC0415 - as above

    return np.asarray(answer)


def _strict_numpy_dtypes() -> dict[str, Precision]:
    return {dtype: Precision.strict(dtype) for dtype in ("float64", "float32")}


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """One implementation: the callables it exposes, and what it declares of them.

    Arrays go in as `to_native(array, dtype)`, `array` being float64 and exact in `dtype`, and what comes back goes
    through `to_numpy`, which returns a float64 array. Shapes, with any leading axes in place of `…`:

    ==================  ==========================================================================================
    `attention`         query (batch, heads, n_q, d_k), key (batch, heads, n_k, d_k), value (batch, heads, n_k, d_v),
                        [scale=float] → (batch, heads, n_q, d_v), the axes in the order of `dialect.layout`
    `self_attention`    x (n, d_model), w_query and w_key (d_model, d_k), w_value (d_model, d_v) → (n, d_v)
    `project`           x (n, d_model), w (d_model, d) → (n, d)
    `score`             query (…, n_q, d_k), key (…, n_k, d_k) → (…, n_q, n_k)
    `scale`             scores (…, n_q, n_k), d_k: int → (…, n_q, n_k)
    `softmax`           scores (…, n_q, n_k) → (…, n_q, n_k), over the last axis
    `weigh`             weights (…, n_q, n_k), value (…, n_k, d_v) → (…, n_q, n_k, d_v)
    `sum`               weighted values (…, n_q, n_k, d_v) → (…, n_q, d_v), over the keys
    `gradient`          query, key, value and an upstream gradient of the output, [options as for `attention`]
                        → the gradients of the query, of the key and of the value
    `cache`             nothing → an empty cache, with `append(key, value)` for the tokens that come, and
                        `attend(query)` for queries that attend to every token so far
    ==================  ==========================================================================================
    """

    name: str
    attention: Callable[..., Any] | None = None
    self_attention: Callable[..., Any] | None = None
    project: Callable[..., Any] | None = None
    score: Callable[..., Any] | None = None
    scale: Callable[..., Any] | None = None
    softmax: Callable[..., Any] | None = None
    weigh: Callable[..., Any] | None = None
    sum: Callable[..., Any] | None = None
    gradient: Callable[..., Any] | None = None
    cache: Callable[..., Any] | None = None
    supports: frozenset[Feature] = SHAPING
    dtypes: Mapping[str, Precision] = field(default_factory=_strict_numpy_dtypes)
    dialect: Dialect = field(default_factory=Dialect)
    domain: Domain = EVERYWHERE
    """The sizes that it takes, as `Domain(widths=frozenset({64, 128}), key_multiple=16)`; default: all."""
    to_native: Callable[[Array, str], Any] = numpy_array
    to_numpy: Callable[[Any], Array] = _as_numpy_array
    immutable: bool = False
    """Whether its arrays can be neither written nor be views of one another, as those of JAX and of TensorFlow."""
    compiled: bool = False
    """Whether each new shape or option takes time to compile. Then it is asked for few of them: at most 40 at the
    default profile and 15 at the quick one for each dtype, gradients included, and each with many numbers."""
    without: frozenset[str] = frozenset()
    """Packages or modules that it must not call for an answer, as `{"torch"}`: what it stands in for, say."""
    places: Mapping[str, str] = field(default_factory=dict)
    """The source location of a callable, as `{"attention": "csrc/flash.cu:120"}`, for what is not written in Python."""
    target: str = ""
    """The name of the target, `numpy` or `package.module:attribute`; filled in by the suite."""
    parameters: Mapping[str, str] | None = None
    """Of a bare callable over NumPy arrays: the names under which it takes the options; filled in by the suite."""
    refuses: bool = False
    """Whether it is a bare callable, whose exceptions are refusals: what it answers, it claims, and nothing else;
    filled in by the suite."""
    masks_are_biases: bool = False
    """Whether it is a bare callable with one parameter for masks and biases; filled in by the suite."""
    layouts: tuple[Layout, ...] = ()
    """Of a bare callable: the orders of axes that it may have, until it is found out what it does; filled in by the
    suite."""

    @property
    def features(self) -> frozenset[Feature]:
        """The features that it supports in its layout, and in its domain."""
        supports = frozenset(self.supports) | (frozenset() if self.immutable else {Feature.MUTABLE})
        layout, domain = self.dialect.layout, self.domain
        if not layout.has("H"):
            supports -= {Feature.HEADS}
        elif not layout.has("B"):
            domain = replace(domain, batches=frozenset({1}))
        return supports if domain == EVERYWHERE else Abilities(supports, domain)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that there is a callable for."""
        return tuple(step for step in Step if getattr(self, step.value) is not None)
