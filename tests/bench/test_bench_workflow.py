"""
Converting workflows is fast.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from recorded_workflows import expected_templates, template

from comfygraph.catalog import load_catalog
from comfygraph.workflow import convert

if TYPE_CHECKING:
    from measure import Compare

CATALOG = load_catalog()


def test_templates_convert_fast(compare: Compare) -> None:
    """
    All templates together convert in at most five times the time that parsing them takes.
    """
    texts = [json.dumps(template(name)) for name in expected_templates()]
    workflows = [json.loads(text) for text in texts]

    compare(
        lambda: [convert(workflow, CATALOG) for workflow in workflows],
        lambda: [json.loads(text) for text in texts],
        aim=5,
        rounds=3,
    )
