from __future__ import annotations

from reference.document import CLAUSES, Kind, Standing


def test_every_clause_is_there_in_the_order_of_the_document() -> None:
    assert list(CLAUSES) == [
        "embed",
        "project",
        "score",
        "scale",
        "softmax",
        "weigh",
        "sum",
        "every-word",
        "pack",
        "matrix",
        "global-view",
        "self-dominates",
        "query-is-value",
        "stable-gradients",
        "matrix-is-faster",
        "omitted-scale",
    ]


def test_only_steps_define_attention() -> None:
    for id_, clause in CLAUSES.items():
        assert clause.id == id_
        assert (clause.kind is Kind.STEP) == (clause.standing is Standing.DEFINES)
        assert clause.says.endswith(".")
        assert clause.note


def test_the_wrong_claims_of_the_document_are_refuted() -> None:
    refuted = {clause.id for clause in CLAUSES.values() if clause.standing is Standing.REFUTED}
    assert refuted == {"self-dominates", "query-is-value", "omitted-scale"}
