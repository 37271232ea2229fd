"""Of all tests: the one profile of the property tests, and the end of the process that commands are forked from."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from warm import WARM

# The same examples in every run, and no deadline on a busy machine.
# A failure is kept as an explicit @example beside its property, not in a database on somebody's disk.
settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    print_blob=False,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.function_scoped_fixture),
)
settings.load_profile("repeatable")


def pytest_sessionfinish() -> None:
    """After all fixtures: some end with a command."""
    WARM.end()
