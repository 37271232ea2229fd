"""What the API server's words about a new pod say of real ones."""

from __future__ import annotations

import pytest

from sohistio.model.refused_pod import refusal_of

_QUOTA = 'pods "w" is forbidden: exceeded quota: q, requested: {}, used: {}, limited: {}'


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        pytest.param(403, _QUOTA.format("pods=1", "pods=5", "pods=5"), "the quota q leaves no room", id="full"),
        pytest.param(
            403,
            'pods "w" is forbidden: maximum memory usage per Container is 256Mi, but limit is 1Gi',
            "such a pod is refused (maximum memory usage",
            id="limit-range",
        ),
        pytest.param(
            400,
            'admission webhook "x.example.com" denied the request: no owner',
            "the admission webhook x.example.com refuses such a pod (no owner)",
            id="denied",
        ),
        pytest.param(
            422,
            "pods \"w\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no owner",
            "such a pod is refused (ValidatingAdmissionPolicy",
            id="admission-policy",
        ),
    ],
)
def test_a_template_that_is_refused(status: int, text: str, words: str) -> None:
    refusal = refusal_of(status, text)
    assert (refusal.real, refusal.of_all, refusal.known) == (True, False, True)
    assert refusal.words.startswith(words)


def test_a_webhook_that_fails_refuses_all_of_a_namespace() -> None:
    refusal = refusal_of(500, 'failed calling webhook "x.example.com": connection refused')
    assert (refusal.real, refusal.of_all, refusal.known) == (True, True, False)
    assert not refusal.of_istio
    assert refusal_of(500, 'failed calling webhook "validation.istio.io": no endpoints').of_istio


@pytest.mark.parametrize("text", ["does not support dry run", "cannot create resource", "timed out"])
def test_what_says_nothing_of_real_pods(text: str) -> None:
    assert not refusal_of(0, text).real


@pytest.mark.parametrize(
    ("requested", "used", "limited", "makes_room"),
    [
        pytest.param("pods=1", "pods=5", "pods=5", True, id="full"),
        pytest.param("pods=1", "pods=6", "pods=5", False, id="over"),
        pytest.param("count/pods=1,pods=1", "count/pods=5,pods=5", "count/pods=5,pods=5", True, id="both-counts"),
        pytest.param("limits.memory=1Gi", "limits.memory=4Gi", "limits.memory=4Gi", False, id="may-ask-for-more"),
        pytest.param("pods=1", "pods=x", "pods=5", False, id="no-number"),
    ],
)
def test_whether_an_old_pod_that_goes_makes_room(requested: str, used: str, limited: str, makes_room: bool) -> None:
    assert refusal_of(403, _QUOTA.format(requested, used, limited)).makes_room is makes_room


@pytest.mark.parametrize(
    ("used", "limited", "takes_down", "stops", "stops_alike"),
    [
        pytest.param("pods=5", "pods=5", 1, False, False, id="full-of-pods"),
        pytest.param("pods=5", "pods=5", 0, True, True, id="a-new-one-comes-first"),
        pytest.param("requests.cpu=900m", "requests.cpu=1", 1, True, False, id="full-of-requests"),
        pytest.param("requests.cpu=2", "requests.cpu=1", 1, True, True, id="more-than-full"),
    ],
)
def test_a_full_quota_stops_what_asks_for_more_or_takes_none_down(
    used: str, limited: str, takes_down: int, stops: bool, stops_alike: bool
) -> None:
    refusal = refusal_of(403, _QUOTA.format(used, used, limited))
    assert (refusal.stops(takes_down), refusal.stops_alike(takes_down)) == (stops, stops_alike)
