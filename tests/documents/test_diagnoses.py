"""The page of the diagnoses is that of the judged sentences, and a sample of these is said again."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.defects import DEFECTS
from tests.documents.diagnoses import PAGE, Judgement, page, read, said_of

SAMPLE = [defect for defect in DEFECTS if defect.name in read()][:: len(DEFECTS) // 8]


def test_the_page_is_made_of_what_was_judged() -> None:
    said = read()
    assert set(said) == {defect.name for defect in DEFECTS}
    assert PAGE.read_text("utf-8") == page([said[defect.name] for defect in DEFECTS])


def test_each_diagnosis_is_judged_and_few_are_wrong() -> None:
    judgements = Counter(one.judgement for one in read().values())
    assert not judgements[Judgement.NOT_JUDGED]
    assert judgements[Judgement.WRONG] * 100 < judgements.total()


@pytest.mark.parametrize("name", [defect.name for defect in SAMPLE])
def test_what_was_judged_is_said_again(name: str) -> None:
    (defect,) = (one for one in DEFECTS if one.name == name)
    _, sentence, _ = said_of(defect)
    assert sentence == read()[name].sentence
