"""Reproducers of every planted defect: they end with 1 on the defect, and with 0 without it."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import pytest

from attention_tests.reproducers.header import comment
from tests import defects
from tests.defects import DEFECTS, Defect
from tests.defects.defect import PLAIN
from tests.support.scripts import run_all, script_of

NONE = comment("There is no program that shows this failure: ")[0]
SEEN_BY_THE_SUITE_ALONE = ("test_a_call_leaves_process_global_state_unchanged", "test_no_forbidden_library_is_called")
TOO_LARGE = (
    "batch_forgotten_in_wide_grouped_decoding",
    "cap_dropped_for_wide_heads",
    "causality_of_long_sequences_shifted",
    "causal_gradient_of_the_last_value_cut",
    "gradients_of_a_grid_of_16_bits",
    "grid_of_16_bits",
    "grid_of_16_bits_of_groups",
    "grid_of_16_bits_of_log_sum_exps",
    "heads_counted_in_16_bits",
    "key_gradients_of_a_grid_of_16_bits",
    "keys_of_latent_attention_cut",
    "last_page_only",
    "log_sum_exp_of_whole_tiles_is_not_shifted",
    "narrow_values_of_wide_heads",
    "order_of_many_keys_turns",
    "query_gradients_of_a_grid_of_16_bits",
    "row_sums_of_contiguous_upstreams",
    "scale_is_the_fourth_root",
    "scores_cut_at_the_end_of_shared_memory",
    "step_divides_by_the_fourth_root",
    "value_gradient_of_the_first_page",
    "weights_of_long_rows_in_bfloat16",
    "width_cut_to_a_power_of_two",
)
"""Defects shown only by numbers that are too many for a program, of which its text would be made."""
REMEMBERING = (
    "blocks_of_keys_added_in_any_order",
    "causal_mask_cached_by_keys",
    "dropout_of_zero_is_the_default",
    "every_256th_call_wrong",
    "log_sum_exps_in_one_buffer",
    "order_of_many_keys_turns",
    "outputs_of_groups_in_one_buffer",
    "gradient_summed_in_any_order",
    "right_only_for_the_first_250_calls",
    "right_only_if_the_suite_is_imported",
    "scale_of_the_first_call",
    "second_call_in_blocks",
    "step_rounds_at_random",
    "sums_in_random_order",
)
"""Defects whose outputs depend on all earlier calls, on chance, or on the modules of the process."""
LOST = {"test_gradients_predict_how_the_output_changes"}
"""Laws that compute with outputs outside of NumPy: their programs compare with the outputs that broke the law."""


def target_of(defect: Defect) -> str:
    modules = [module for module in vars(defects).values() if isinstance(module, ModuleType)]
    return next(
        f"{module.__name__}:{name}.implementation"
        for module in modules
        for name, member in vars(module).items()
        if member is defect
    )


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    # Some defects change process-global state.
    streams = sys.stdout, sys.stderr
    written = {}
    for place, defect in enumerate(DEFECTS):
        if defect.killed_by in SEEN_BY_THE_SUITE_ALONE:
            continue
        dtypes = list(defect.implementation.dtypes)
        implementation = replace(defect.implementation, target=target_of(defect))
        written[defect.name] = script_of(implementation, defect.killed_by, dtypes[place % len(dtypes)])
    sys.stdout, sys.stderr = streams
    return written


def test_there_is_a_program_for_every_defect(scripts: dict[str, str]) -> None:
    assert {name for name, text in scripts.items() if text.startswith(NONE)} <= set(TOO_LARGE)


def test_the_program_contains_what_the_law_does_with_the_answers(scripts: dict[str, str]) -> None:
    laws = {defect.name: defect.killed_by for defect in DEFECTS}
    assert {laws[name] for name, text in scripts.items() if "These answers together" in text} <= LOST


def test_every_program_reproduces_its_failure(scripts: dict[str, str]) -> None:
    programs = {name: text for name, text in scripts.items() if not text.startswith(NONE) and name not in REMEMBERING}
    ran = run_all(programs)
    silent = {name: one for name, one in ran.items() if one[0] != 1}
    assert not silent, silent
    assert all("\nreproduced" in f"\n{printed}" for _, printed in ran.values())


def test_no_program_blames_an_implementation_without_the_defect(scripts: dict[str, str]) -> None:
    # One for each law, since the law decides what a program compares.
    plain = {defect.killed_by: defect.name for defect in DEFECTS if defect.implementation.dialect == PLAIN}
    mended = {
        name: text.replace("implementation = found.implementation", "from tests.support.correct import implementation")
        for name, text in scripts.items()
        if name in plain.values() and not text.startswith(NONE)
    }
    ran = run_all(mended)
    blaming = {name: one for name, one in ran.items() if one[0] != 0}
    assert not blaming, blaming
    assert all("\nnot reproduced: " in f"\n{printed}" for _, printed in ran.values())
