"""
What is known of each rule without importing it. Written by `scripts/make_rule_table.py`.
"""

from __future__ import annotations

# id, name, severity, module, since, server error, status, aliases, signs
# fmt: off
TABLE: tuple[
    tuple[str, str, str, str, str, str | None, str, tuple[str, ...], tuple[str, ...]], ...
] = (
    ("CG002", "duplicate-key", "warning", "duplicate_key", "0.1.0", None, "stable", (), ("text",)),
    ("CG003", "malformed-prompt", "error", "malformed_prompt", "0.1.0", None, "stable", (), ("malformed",)),
    ("CG004", "wrapped-prompt", "info", "wrapped_prompt", "0.1.0", None, "stable", (), ("kind:wrapped",)),
    ("CG005", "workflow-as-prompt", "error", "workflow_as_prompt", "0.1.0", None, "stable", (), ("workflow-inside",)),
    ("CG101", "unknown-class", "error", "unknown_class", "0.1.0", "missing_node_type", "stable", (), ("unknown-class",)),
    ("CG102", "dangling-link", "error", "dangling_link", "0.1.0", "exception_during_inner_validation", "stable", (), ("dangling-link",)),
    ("CG103", "dependency-cycle", "error", "dependency_cycle", "0.1.0", "dependency_cycle", "stable", (), ("cycle",)),
    ("CG104", "no-output", "error", "no_output", "0.1.0", "prompt_no_outputs", "stable", (), ("no-output",)),
    ("CG105", "unreachable-node", "warning", "unreachable_node", "0.1.0", None, "stable", (), ("unreachable",)),
    ("CG106", "missing-class-type", "error", "missing_class_type", "0.1.0", "missing_node_type", "stable", (), ("no-class",)),
    ("CG107", "missing-input", "error", "missing_input", "0.1.0", "required_input_missing", "stable", (), ("missing-input", "no-file-name")),
    ("CG108", "unknown-input", "warning", "unknown_input", "0.1.0", None, "stable", (), ("undeclared", "undeclared-list")),
    ("CG109", "missing-inputs", "error", "missing_inputs", "0.1.0", "exception_during_validation", "stable", (), ("no-inputs",)),
    ("CG110", "partial-acceptance", "warning", "partial_acceptance", "0.1.0", None, "stable", (), ("partial",)),
    ("CG111", "deep-chain", "error", "deep_chain", "0.1.0", "exception_during_inner_validation", "stable", (), ("large",)),
    ("CG201", "malformed-link", "error", "malformed_link", "0.1.0", "bad_linked_input", "stable", (), ("bad-link",)),
    ("CG202", "slot-out-of-range", "error", "slot_out_of_range", "0.1.0", "exception_during_inner_validation", "stable", (), ("bad-slot",)),
    ("CG203", "type-mismatch", "error", "type_mismatch", "0.1.0", "return_type_mismatch", "stable", (), ("type-mismatch",)),
    ("CG204", "integer-link-id", "error", "integer_link_id", "0.1.0", "exception_during_inner_validation", "stable", (), ("dangling-link",)),
    ("CG205", "negative-slot", "warning", "negative_slot", "0.1.0", None, "stable", (), ("odd-slot",)),
    ("CG206", "undeclared-link", "error", "undeclared_link", "0.1.0", None, "stable", (), ("undeclared-list",)),
    ("CG207", "constant-for-link", "error", "constant_for_link", "0.1.0", None, "stable", (), ("constant-for-link",)),
    ("CG208", "wrapped-link", "error", "wrapped_link", "0.1.0", None, "stable", (), ("object",)),
    ("CG209", "match-type-mismatch", "error", "match_type_mismatch", "0.1.0", None, "stable", (), ("match-type",)),
    ("CG210", "dynamic-selector", "error", "dynamic_selector", "0.1.0", None, "stable", (), ("dynamic",)),
    ("CG211", "file-name-not-text", "error", "file_name_not_text", "0.1.0", "exception_during_inner_validation", "stable", (), ("bad-file-name",)),
    ("CG212", "beyond-autogrow", "error", "beyond_autogrow", "0.1.0", None, "stable", (), ("undeclared-list",)),
    ("CG301", "value-above-max", "error", "value_above_max", "0.1.0", "value_bigger_than_max", "stable", (), ("above-max",)),
    ("CG302", "value-below-min", "error", "value_below_min", "0.1.0", "value_smaller_than_min", "stable", (), ("below-min",)),
    ("CG303", "value-not-in-list", "error", "value_not_in_list", "0.1.0", "value_not_in_list", "stable", (), ("not-in-list",)),
    ("CG304", "wrong-value-type", "error", "wrong_value_type", "0.1.0", "invalid_input_type", "stable", (), ("not-convertible", "not-comparable")),
    ("CG305", "case-slip", "error", "case_slip", "0.1.0", "value_not_in_list", "stable", (), ("not-in-list", "file-missing", "unlisted")),
    ("CG306", "path-slip", "error", "path_slip", "0.1.0", "value_not_in_list", "stable", (), ("not-in-list", "file-missing", "unlisted")),
    ("CG307", "off-step", "info", "off_step", "0.1.0", None, "stable", (), ()),
    ("CG308", "unsafe-integer", "warning", "unsafe_integer", "0.1.0", None, "stable", (), ("unsafe-integer",)),
    ("CG309", "not-finite", "warning", "not_finite", "0.1.0", None, "stable", (), ("not-finite", "rewritten")),
    ("CG310", "text-for-number", "warning", "text_for_number", "0.1.0", None, "stable", (), ("rewritten",)),
    ("CG311", "text-for-boolean", "warning", "text_for_boolean", "0.1.0", None, "stable", (), ("rewritten",)),
    ("CG312", "lossy-number", "warning", "lossy_number", "0.1.0", None, "stable", (), ("rewritten",)),
    ("CG313", "null-value", "warning", "null_value", "0.1.0", None, "stable", (), ("rewritten",)),
    ("CG314", "missing-file", "error", "missing_file", "0.1.0", "custom_validation_failed", "stable", (), ("file-missing",)),
    ("CG601", "duplicate-node", "info", "duplicate_node", "0.1.0", None, "stable", (), ()),
    ("CG602", "unused-output", "info", "unused_output", "0.1.0", None, "stable", (), ("loader",)),
    ("CG603", "deprecated-node", "info", "deprecated_node", "0.1.0", None, "stable", (), ("deprecated",)),
    ("CG604", "experimental-node", "info", "experimental_node", "0.1.0", None, "stable", (), ("experimental",)),
    ("CG605", "paid-node", "info", "paid_node", "0.1.0", None, "stable", (), ("paid",)),
    ("CG606", "secret-in-value", "warning", "secret_in_value", "0.1.0", None, "stable", (), ("key-prefix", "key-word", "key-name", "url")),
    ("CG607", "absolute-path", "warning", "absolute_path", "0.1.0", None, "stable", (), ("root",)),
    ("CG608", "parent-path", "warning", "parent_path", "0.1.0", None, "stable", (), ("parent",)),
    ("CG609", "inline-base64", "warning", "inline_base64", "0.1.0", None, "stable", (), ("long",)),
    ("CG610", "private-url", "warning", "private_url", "0.1.0", None, "stable", (), ("url",)),
)
