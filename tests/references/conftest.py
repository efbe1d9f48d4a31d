"""
What the tests of references share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from comfygraph.references.web import Web


@pytest.fixture
def new_web() -> Iterator[Callable[..., Web]]:
    """
    Makes carriers of requests without pauses, and closes them in the end.
    """
    with ExitStack() as stack:

        def make(**options: Any) -> Web:
            return stack.enter_context(Web(**{"spacing": 0, **options}))

        yield make
