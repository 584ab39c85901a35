"""Aspects: the answers of an implementation that an explanation speaks of, and what is right there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature, Precision, Step
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, answer_and_lse, expected, expected_lse, expected_of_sentence
from properties.checks.gradients import expected_gradients, gradients
from properties.checks.remembered import remembered
from properties.drawing.gradients import Backward
from properties.drawing.problem import Input, Problem, Sentence
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@dataclass(frozen=True, eq=False)
class Aspect:
    """A kind of answer."""

    name: str
    """The name of what is answered, as in "the gradients"."""
    step: Step
    feature: Feature | None
    """The feature that an implementation must have; None: the step is enough."""
    of: type[Input]
    """The kind of input that is asked about."""
    ask: Callable[[Subject, Any], Sequence[Array]]
    """Asks an implementation. Raises what laws raise where it gives no answer."""
    right: Callable[[Any, Precision], Sequence[Interval]]
    """Says what is right."""

    def is_exposed_by(self, subject: Subject) -> bool:
        """Tell whether an implementation gives such answers."""
        return self.step in subject.steps and (self.feature is None or self.feature in subject.features)


@remembered
def _of_sentence(subject: Subject, sentence: Sentence) -> Array:
    return subject.self_attention(sentence.x, sentence.w_query, sentence.w_key, sentence.w_value)


OUTPUT = Aspect(
    "the output",
    Step.ATTENTION,
    None,
    Problem,
    lambda subject, problem: (answer(subject, problem),),
    lambda problem, precision: (expected(problem, precision),),
)
LOG_SUM_EXP = Aspect(
    "the log-sum-exp",
    Step.ATTENTION,
    Feature.LOG_SUM_EXP,
    Problem,
    lambda subject, problem: (answer_and_lse(subject, problem)[1],),
    lambda problem, precision: (expected_lse(problem, precision),),
)
GRADIENTS = Aspect("the gradients", Step.GRADIENT, None, Backward, gradients, expected_gradients)
SELF_ATTENTION = Aspect(
    "self-attention",
    Step.SELF_ATTENTION,
    None,
    Sentence,
    lambda subject, sentence: (_of_sentence(subject, sentence),),
    lambda sentence, precision: (expected_of_sentence(sentence, precision),),
)
ASPECTS = (OUTPUT, LOG_SUM_EXP, GRADIENTS, SELF_ATTENTION)
