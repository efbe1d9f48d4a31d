"""
All rules, in the order of their ids.
"""

from __future__ import annotations

from comfygraph.lint.rule import Rule
from comfygraph.lint.rules.dangling_link import dangling_link
from comfygraph.lint.rules.dependency_cycle import dependency_cycle
from comfygraph.lint.rules.malformed_link import malformed_link
from comfygraph.lint.rules.malformed_prompt import malformed_prompt
from comfygraph.lint.rules.missing_class_type import missing_class_type
from comfygraph.lint.rules.missing_input import missing_input
from comfygraph.lint.rules.missing_inputs import missing_inputs
from comfygraph.lint.rules.no_output import no_output
from comfygraph.lint.rules.slot_out_of_range import slot_out_of_range
from comfygraph.lint.rules.type_mismatch import type_mismatch
from comfygraph.lint.rules.unknown_class import unknown_class
from comfygraph.lint.rules.unknown_input import unknown_input
from comfygraph.lint.rules.unreachable_node import unreachable_node
from comfygraph.lint.rules.value_above_max import value_above_max
from comfygraph.lint.rules.value_below_min import value_below_min
from comfygraph.lint.rules.value_not_in_list import value_not_in_list
from comfygraph.lint.rules.wrong_value_type import wrong_value_type

RULES: tuple[Rule, ...] = (
    malformed_prompt,
    unknown_class,
    dangling_link,
    dependency_cycle,
    no_output,
    unreachable_node,
    missing_class_type,
    missing_input,
    unknown_input,
    missing_inputs,
    malformed_link,
    slot_out_of_range,
    type_mismatch,
    value_above_max,
    value_below_min,
    value_not_in_list,
    wrong_value_type,
)
