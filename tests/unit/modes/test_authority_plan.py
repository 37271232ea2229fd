"""What an install does about the CA: a table of what is declared and what signs in the cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observed import state, workload
from plans import FRESH
from sohistio.model.authority import AUTHORITY_SECRET, Authority, AuthorityCertificate, LiveAuthority
from sohistio.model.state import ClusterState
from sohistio.modes.authority import authority_plan, has_one
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.diff import does_no_more
from sohistio.plan.plan import Phase

EMPTY = state(istiods=())
MESH = state()


def certificate(name: str, issuer: str = "CN=Root", *, ends: float = 1000.0) -> AuthorityCertificate:
    return AuthorityCertificate(f"CN={name}", issuer, f"{name.lower():f<64}", ends, "2030-01-01")


ROOT, OTHER = certificate("Root"), certificate("Other", "CN=Other")
OWN, RENEWED = certificate("Mesh"), certificate("Renewed")
DECLARED = Authority(OWN, (OWN, ROOT), (ROOT,))
NOTHING = LiveAuthority()
PLUGGED_IN = LiveAuthority("cacerts", DECLARED, (ROOT,))
SELF_SIGNED = LiveAuthority("istio-ca-secret", Authority(OTHER, roots=(OTHER,)), (OTHER,), self_signed=True)


def live(authority: Authority) -> LiveAuthority:
    return LiveAuthority("cacerts", authority, authority.roots)


def test_it_is_written_where_nothing_signs() -> None:
    found = authority_plan(DECLARED, (), NOTHING, EMPTY)
    ((step,),) = (phase.steps for phase in found.phases)
    assert step == WriteAuthority(
        "authority/write",
        "create Secret istio-system/cacerts: CN=Mesh signs for the mesh, until 2030-01-01",
        AUTHORITY_SECRET,
        OWN.fingerprint,
        (ROOT.fingerprint,),
    )
    assert (found.refusal, found.notices) == ("", ())


def test_another_ca_than_was_approved_is_more() -> None:
    approved = authority_plan(DECLARED, (), NOTHING, EMPTY).phases
    other = authority_plan(replace(DECLARED, certificate=RENEWED), (), NOTHING, EMPTY).phases
    before, now = (replace(FRESH, phases=phases) for phases in (approved, other))
    assert does_no_more(before, before)
    assert not does_no_more(now, before)


@pytest.mark.parametrize(
    ("signs", "cluster", "expected"),
    [
        (NOTHING, EMPTY, False),
        (NOTHING, MESH, False),  # an istiod that never came up: it has published nothing
        (LiveAuthority(published=(OTHER,)), EMPTY, False),  # an uninstalled mesh's
        (LiveAuthority(published=(OTHER,)), MESH, True),  # somebody else signs, such as istio-csr
        (SELF_SIGNED, EMPTY, True),
        (PLUGGED_IN, EMPTY, True),
    ],
)
def test_whether_something_signs(signs: LiveAuthority, cluster: ClusterState, expected: bool) -> None:
    assert has_one(signs, cluster) is expected


@pytest.mark.parametrize(
    ("signs", "cluster", "refusal", "todo"),
    [
        (PLUGGED_IN, MESH, "", ""),
        (PLUGGED_IN, EMPTY, "", ""),
        (live(Authority(OWN, roots=(OTHER, ROOT))), MESH, "", ""),  # a rotation has both
        (SELF_SIGNED, MESH, "istiod's own self-signed root signs (Secret istio-system/istio-ca-secret)", "in stages"),
        (SELF_SIGNED, EMPTY, "istiod's own self-signed root signs", "delete secret istio-ca-secret"),
        (SELF_SIGNED, replace(EMPTY, carriers=(workload(),)), "istiod's own self-signed root signs", "in stages"),
        (replace(PLUGGED_IN, self_signed=True), MESH, "root signs (Secret istio-system/cacerts)", "in stages"),
        (live(Authority(OTHER, roots=(OTHER,))), MESH, "the mesh has another root (CN=Other other", "in stages"),
        (live(Authority()), MESH, "Secret istio-system/cacerts holds no root certificate that can be read", "stages"),
        (LiveAuthority("", Authority(roots=(OTHER,)), (OTHER,)), MESH, "the mesh has another root", "in stages"),
        (LiveAuthority("", Authority(roots=(ROOT,)), (ROOT,)), MESH, "", ""),
        (LiveAuthority("", Authority(roots=(ROOT,)), (ROOT,), unread=True), MESH, "", ""),
    ],
)
def test_nothing_that_signs_is_replaced(signs: LiveAuthority, cluster: ClusterState, refusal: str, todo: str) -> None:
    found = authority_plan(DECLARED, (), signs, cluster)
    assert found.phases == ()
    assert refusal in found.refusal
    assert bool(found.refusal) is bool(refusal)
    assert todo in found.todo


def test_another_certificate_of_the_same_root_is_left_alone_and_named() -> None:
    found = authority_plan(DECLARED, (), live(Authority(RENEWED, roots=(ROOT,))), MESH)
    assert (found.phases, found.refusal) == ((), "")
    (notice,) = found.notices
    assert "has another certificate (CN=Renewed, until 2030-01-01) of the same root" in notice


def test_unsound_material_stops_the_first_install_only() -> None:
    faults = ("ca-cert.pem expired", "ca-key.pem is another's")
    found = authority_plan(DECLARED, faults, NOTHING, EMPTY)
    assert found.refusal == "the CA of policy.authority cannot sign: ca-cert.pem expired; ca-key.pem is another's"
    assert found.phases == ()
    later = authority_plan(DECLARED, faults[:1], PLUGGED_IN, MESH)
    assert (later.refusal, later.notices) == ("", ("policy.authority: ca-cert.pem expired",))


def test_what_a_certificate_is_trusted_through() -> None:
    """Of two roots the one that signed."""
    assert Authority(OWN, (OWN, ROOT), (OTHER, ROOT)).all == (OWN, ROOT)
    assert Authority(roots=(ROOT, certificate("Later", ends=2000.0))).all == (certificate("Later", ends=2000.0),)
    assert Authority().all == ()
    assert isinstance(authority_plan(DECLARED, (), NOTHING, EMPTY).phases[0], Phase)
