"""When the answers to a gateway's probes stop its rollout."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sohistio.adapters.probe.https import Answered
from sohistio.model.failover import Probe
from sohistio.run.gateway_questions import Questions

PROBE = Probe("https://shop.example.com/", 200, None, None, None, 5)
OTHER = Probe("https://pay.example.com/", 200, None, None, None, 5)
RIGHT, WRONG = "", "it answered 503, not 200"


def asked(*faults: str) -> Iterator[str]:
    yield from faults
    while True:
        yield RIGHT


@pytest.mark.parametrize(
    ("faults", "times", "said"),
    [
        pytest.param([], 40, (), id="all-right"),
        pytest.param([WRONG], 40, (), id="one-may-be-lost-on-the-way"),
        pytest.param([WRONG, RIGHT, WRONG], 40, ("2 of 3 requests failed: it answered 503, not 200",), id="a-quarter"),
        pytest.param([WRONG, *[RIGHT] * 25, WRONG], 27, (), id="two-far-apart"),
    ],
)
def test_failures(faults: list[str], times: int, said: tuple[str, ...]) -> None:
    answers = asked(RIGHT, *faults)  # the first is asked before anything is changed
    questions = Questions([PROBE], "10.0.0.1", lambda _probe, _address: Answered(next(answers), 0.01))
    assert questions.begin() == ()
    questions.ask(times)
    assert questions.failures() == tuple(f"{PROBE.url} at 10.0.0.1: {line}" for line in said)


def test_a_probe_that_fails_before_judges_nothing() -> None:
    questions = Questions(
        [PROBE, OTHER], "10.0.0.1", lambda probe, _address: Answered(WRONG if probe is OTHER else RIGHT, 0.01)
    )
    assert questions.begin() == (
        "https://pay.example.com/ at 10.0.0.1 fails already, so it judges nothing: it answered 503, not 200",
    )
    questions.ask(10)
    assert questions
    assert questions.failures() == ()


def test_without_an_address_there_is_nothing_to_ask() -> None:
    assert not Questions([PROBE], "", lambda _probe, _address: Answered(WRONG, 0.01))
