"""A comparison of a standby as people read it, letter by letter."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from sohistio.model.certificate import Certificate
from sohistio.model.state import ObjectRef
from sohistio.output.console import SafeConsole
from sohistio.output.sync_view import comparison_view, left_over, verdict
from sohistio.output.tables import show
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.sync.certificates import CertificatePair, NamedSecret
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.report import Comparison, Lag

WEB, OTHER = (Certificate(letter * 64, 1_800_000_000.0, "2027-01-15") for letter in "ab")
SECRETS = tuple(
    NamedSecret(ref, ref) for ref in (ObjectRef("Secret", "istio-system", name) for name in ("web-tls", "pay-tls"))
)
EQUAL = Comparison(
    source="prod",
    target="dr",
    servers=("https://prod", "https://dr"),
    changes=Changes(),
    differences=(),
    certificates=(),
    roots=("a" * 64, "a" * 64),
    compared=3,
    lag=Lag(0),
)
DIFFERENT = Comparison(
    source="prod",
    target="dr",
    servers=("https://prod", "https://dr"),
    changes=Changes((ObjectChange(ObjectRef("VirtualService", "shop", "web"), Action.CREATED),)),
    differences=(
        Difference(Subject.FILES, "spec.x", "x differs", "Change it."),
        Difference(Subject.TRUST_ROOT, "root", "the roots differ", "Plug one in.", counts=False),
    ),
    certificates=(CertificatePair(SECRETS[0], WEB, WEB), CertificatePair(SECRETS[1], WEB, OTHER)),
    roots=("a" * 64, ""),
    compared=3,
    lag=Lag(1),
)
EQUAL_TEXT = """\
from          prod (https://prod)
to            dr (https://dr)
objects       3 in prod; no object differs; never synced
certificates  no gateway of prod names one
trust root    the same

dr and prod are equal
"""
DIFFERENT_TEXT = """\
from          prod (https://prod)
to            dr (https://dr)
objects       3 in prod; 1 object differs; never synced
certificates  1 of 2 the same; the first in dr expires on 2027-01-15
trust root    not known: dr has none

Reported, not changed by sync:
  × files: x differs
    → Change it.
  ‼ trust root: the roots differ
    → Plug one in.

dr and prod differ: 1 created, 0 changed, 0 removed by a sync, 1 further difference not sync's to change; \
a sync would be refused: why
"""


def text_of(comparison: Comparison, refusal: str = "") -> str:
    stream = io.StringIO()
    show(SafeConsole(stream, width=120), comparison_view(comparison), verdict(comparison, refusal))
    return stream.getvalue()


def test_equal() -> None:
    assert text_of(EQUAL) == EQUAL_TEXT
    assert (EQUAL.equal, left_over(EQUAL)) == (True, "")


def test_different() -> None:
    assert text_of(DIFFERENT, "why") == DIFFERENT_TEXT
    assert (DIFFERENT.equal, left_over(DIFFERENT)) == (False, "dr: 1 difference is not sync's to change, see above")


UNREAD = tuple(CertificatePair(secret, None, None, unread=("prod",)) for secret in SECRETS)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (UNREAD, "0 of 2 compared: you lack permission"),
        (
            (CertificatePair(SECRETS[0], WEB, WEB), UNREAD[1]),
            "1 of 1 the same; the first in dr expires on 2027-01-15; 1 of 2 compared: you lack permission",
        ),
    ],
)
def test_certificates_that_could_not_be_read_are_counted(pairs: tuple[CertificatePair, ...], words: str) -> None:
    comparison = replace(EQUAL, certificates=pairs)
    assert f"certificates  {words}\n" in text_of(comparison)
    entries = comparison.document("")["certificates"]
    assert [entry["compared"] for entry in entries] == [not pair.unread for pair in pairs]


def test_what_is_not_syncs_to_change_has_one_number() -> None:
    conflict = Difference(Subject.CONFLICT, "VirtualService shop/web", "differs", "Change it.")
    comparison = replace(DIFFERENT, differences=(*DIFFERENT.differences, conflict))
    assert comparison.left == 2
    assert "2 further differences not sync's to change" in verdict(comparison, "").plain
