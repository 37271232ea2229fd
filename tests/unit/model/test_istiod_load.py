"""Whether istiod keeps up, from its metrics: slow pushes halve the pace, quick ones give it back."""

from __future__ import annotations

import pytest

from sohistio.model.istiod_load import LEAST_SHARE, Keeping, Pushes, pushes_in

METRICS = """\
# HELP pilot_proxy_convergence_time Delay in seconds between config change and a proxy receiving all of it.
# TYPE pilot_proxy_convergence_time histogram
pilot_proxy_convergence_time_bucket{le="0.1"} 40
pilot_proxy_convergence_time_bucket{le="0.5"} 48
pilot_proxy_convergence_time_bucket{le="1"} 50
pilot_proxy_convergence_time_bucket{le="3"} 55
pilot_proxy_convergence_time_bucket{le="+Inf"} 60
pilot_proxy_convergence_time_sum 31.2
pilot_proxy_convergence_time_count 60
process_start_time_seconds 1.79581e+09
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(METRICS, Pushes("1.79581e+09", 60, 10), id="istiod"),
        pytest.param(
            METRICS.replace('{le="', '{otel_scope_name="istio",le="'), Pushes("1.79581e+09", 60, 10), id="scoped"
        ),
        pytest.param("", None, id="nothing"),
        pytest.param("<html>login</html>", None, id="a-login-page"),
        pytest.param(METRICS.replace('le="1"', 'le="2"'), None, id="other-buckets"),
        pytest.param('pilot_xds_pushes{type="cds"} 4\n', None, id="no-push-yet"),
    ],
)
def test_what_the_metrics_say(text: str, found: Pushes | None) -> None:
    assert pushes_in(text) == found


def shares(*readings: Pushes) -> list[float]:
    found, keeping = [], Keeping()
    for reading in readings:
        keeping = keeping.after(reading)
        found.append(keeping.share)
    return found


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([("a", 100, 90)], [1.0], id="what-was-before-the-restarts-does-not-count"),
        pytest.param([("a", 0, 0), ("a", 100, 10)], [1.0, 1.0], id="one-in-ten-may-be-slow"),
        pytest.param([("a", 0, 0), ("a", 100, 11)], [1.0, 0.5], id="more-is-a-lag"),
        pytest.param([("a", 0, 0), ("a", 4, 4)], [1.0, 1.0], id="too-few-to-tell"),
        pytest.param(
            [("a", 0, 0), ("a", 50, 50), ("a", 60, 60), ("a", 70, 60), ("a", 80, 60), ("a", 90, 60)],
            [1.0, 0.5, 0.25, 0.5, 1.0, 1.0],
            id="slower-and-back",
        ),
        pytest.param(
            [("a", 0, 0), ("b", 1000, 900), ("a", 10, 0), ("b", 1010, 910)],
            [1.0, 1.0, 1.0, 0.5],
            id="each-istiod-with-itself",
        ),
    ],
)
def test_the_share_of_the_pace(readings: list[tuple[str, int, int]], expected: list[float]) -> None:
    assert shares(*(Pushes(*reading) for reading in readings)) == expected


def test_restarts_never_stop_for_it() -> None:
    assert shares(*(Pushes("a", 10 * count, 10 * count) for count in range(30)))[-1] == LEAST_SHARE
