"""How many examples long tests run: what a test run has time for, or as many as asked for.

WS13_EXAMPLES=20000 python -m pytest tests/test_any_*.py
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: Examples of each test.
EXAMPLES = int(os.environ.get("WS13_EXAMPLES", "0"))


def profile(examples: int, **options: int) -> settings:
    """So many examples unless others are asked for."""
    return settings(
        max_examples=EXAMPLES or examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **options,
    )
