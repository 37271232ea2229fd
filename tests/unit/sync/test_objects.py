"""What of the source's configuration a standby lacks, has otherwise or has too much, object by object."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configured import SPEC, configured, side, synced
from sohistio.model.policy import POLICY_LABEL
from sohistio.model.state import ObjectRef
from sohistio.model.sync import SYNCED_FROM, Exclusion, Substitution, SyncRules
from sohistio.plan.changes import Action
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.sync.differences import Subject
from sohistio.sync.objects import ObjectComparison, compare_objects

NONE = SyncRules()
TO_DR = SyncRules((Substitution("prod.example.com", "dr.example.com"),))
WEB = ObjectRef("VirtualService", "shop", "web")
OTHER_SPEC = SPEC | {"http": [{"timeout": "9s"}]}
EXCLUDED = SyncRules(exclusions=(Exclusion("VirtualService", "sh*"),))


def compared(source: list[dict[str, Any]], target: list[dict[str, Any]], rules: SyncRules = NONE) -> ObjectComparison:
    return compare_objects(side("prod", *source), side("dr", *target), rules)


def outcome(found: ObjectComparison) -> dict[str, Any]:
    """What happens, in short."""
    done = {str(change.ref): change.action.value for change in found.changes}
    return done | {item.name: item.subject.value for item in found.reported}


CREATED, CHANGED, REMOVED = ({str(WEB): action.value} for action in Action)
CONFLICT, ONLY = {str(WEB): "conflict"}, {str(WEB): "object"}


@pytest.mark.parametrize(
    ("source", "target", "rules", "expected"),
    [
        pytest.param([configured()], [], NONE, CREATED, id="missing"),
        pytest.param([configured()], [configured()], NONE, {}, id="the-same-by-others"),
        pytest.param([configured()], [synced()], NONE, {}, id="the-same-by-sync"),
        pytest.param([configured()], [synced(spec=OTHER_SPEC)], NONE, CHANGED, id="changed-in-prod"),
        pytest.param([configured(labels={"team": "a"})], [synced()], NONE, CHANGED, id="a-label"),
        pytest.param([configured()], [synced(labels={"team": "a"})], NONE, CHANGED, id="a-label-less"),
        pytest.param([configured()], [configured(spec=OTHER_SPEC)], NONE, CONFLICT, id="somebody-elses-field"),
        pytest.param(
            [configured()],
            [synced(spec=OTHER_SPEC, managers={SYNC_MANAGER: {"f:hosts": {}}, "kubectl-edit": {"f:http": {}}})],
            NONE,
            CONFLICT,
            id="a-hand-edit-of-a-synced-one",
        ),
        pytest.param(
            [configured()],
            [synced(spec=OTHER_SPEC, managers={SYNC_MANAGER: {"f:http": {}}, "kubectl-edit": {"f:hosts": {}}})],
            NONE,
            CHANGED,
            id="a-hand-edit-of-another-field",
        ),
        pytest.param(
            [configured(spec=SPEC | {"exportTo": ["."]})], [configured()], NONE, CHANGED, id="nobodys-field-yet"
        ),
        pytest.param([], [synced()], NONE, REMOVED, id="no-longer-in-prod"),
        pytest.param([], [synced(source="qa")], NONE, ONLY, id="synced-from-elsewhere"),
        pytest.param([], [configured()], NONE, ONLY, id="only-in-dr"),
        pytest.param([], [configured(labels={SYNCED_FROM: "prod"})], NONE, ONLY, id="a-copy-with-the-label"),
        pytest.param(
            [],
            [synced(managers={SYNC_MANAGER: {"f:hosts": {}}, "kubectl-edit": {"f:http": {}}})],
            NONE,
            CONFLICT,
            id="no-longer-in-prod-and-edited",
        ),
        pytest.param([configured()], [configured(spec=OTHER_SPEC)], EXCLUDED, {}, id="excluded"),
        pytest.param([], [synced()], EXCLUDED, {}, id="excluded-is-not-pruned"),
        pytest.param([configured(ownerReferences=[{"kind": "X", "name": "y"}])], [], NONE, {}, id="owned-in-prod"),
        pytest.param([configured(labels={POLICY_LABEL: "prod"})], [], NONE, {}, id="of-prods-policy"),
        pytest.param([], [configured(labels={POLICY_LABEL: "dr"})], NONE, {}, id="of-drs-policy"),
        pytest.param([configured()], [configured(labels={POLICY_LABEL: "dr"})], NONE, CONFLICT, id="of-drs-policy-too"),
        pytest.param([], [configured(ownerReferences=[{"kind": "X", "name": "y"}])], NONE, {}, id="owned-in-dr"),
        pytest.param(
            [configured()], [configured(ownerReferences=[{"kind": "X", "name": "y"}])], NONE, CONFLICT, id="owned-there"
        ),
        pytest.param([configured(deletionTimestamp="now")], [synced()], NONE, ONLY, id="being-deleted-in-prod"),
        pytest.param([configured(deletionTimestamp="now")], [], NONE, {}, id="being-deleted-in-prod-and-not-in-dr"),
        pytest.param([], [synced(deletionTimestamp="now")], NONE, ONLY, id="deleted-in-dr-and-held"),
        pytest.param([configured()], [synced(deletionTimestamp="now")], NONE, CONFLICT, id="being-deleted-in-dr"),
        pytest.param(
            [configured(annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"})],
            [synced(annotations={"argocd.argoproj.io/tracking-id": "a"})],
            NONE,
            {},
            id="marks-of-tools",
        ),
        pytest.param([configured(place="late")], [], NONE, {"late": "namespace"}, id="no-namespace"),
        pytest.param(
            [configured("ProxyConfig")], [], NONE, {"ProxyConfig.networking.istio.io": "kind"}, id="no-such-kind"
        ),
        pytest.param(
            [configured()], [synced(spec=SPEC | {"hosts": ["web.dr.example.com"]})], TO_DR, {}, id="substituted"
        ),
    ],
)
def test_what_happens_to_an_object(
    source: list[dict[str, Any]], target: list[dict[str, Any]], rules: SyncRules, expected: dict[str, str]
) -> None:
    found = compared(source, target, rules)
    assert outcome(found) == expected
    applied = {"created", "changed"} & set(expected.values())
    assert [item.ref for item in found.wanted] == ([WEB] if applied else [])
    assert [item.ref for item in found.surplus] == ([WEB] if "removed" in expected.values() else [])


def test_nothing_is_pruned_of_a_kind_that_the_source_lost() -> None:
    source = replace(side("prod"), kinds={"Gateway.networking.istio.io": frozenset({"v1"})})
    found = compare_objects(source, side("dr", synced()), NONE)
    assert (outcome(found), found.surplus) == (ONLY, ())
    assert "prod does not know the kind VirtualService.networking.istio.io any more" in found.reported[0].what


def test_what_is_applied_is_what_people_wrote_and_the_mark() -> None:
    marks = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "owner": "shop"}
    (wanted,) = compared([configured(labels={"team": "a"}, annotations=marks, finalizers=["x"])], [], TO_DR).wanted
    assert wanted.document == {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": {"team": "a", SYNCED_FROM: "prod"},
            "annotations": {"owner": "shop"},
        },
        "spec": {"hosts": ["web.dr.example.com"], "http": [{"timeout": "3s"}]},
    }


def test_an_object_of_others_is_not_marked_and_so_never_pruned() -> None:
    (wanted,) = compared([configured(spec=SPEC | {"exportTo": ["."]})], [configured()]).wanted
    assert "labels" not in wanted.document["metadata"]
    (wanted,) = compared([configured(spec=OTHER_SPEC)], [synced()]).wanted
    assert wanted.document["metadata"]["labels"] == {SYNCED_FROM: "prod"}


def test_a_conflict_names_object_field_and_manager() -> None:
    (conflict,) = compared([configured()], [configured(spec=OTHER_SPEC)]).reported
    assert conflict.subject is Subject.CONFLICT
    assert conflict.what == (
        "VirtualService shop/web differs in fields that somebody else set in dr: spec.http (set by kubectl)"
    )


def test_what_is_referred_to_comes_first_and_goes_last() -> None:
    kinds = ("VirtualService", "Gateway", "AuthorizationPolicy", "DestinationRule")
    found = compared([configured(kind) for kind in kinds], [])
    assert [item.ref.kind for item in found.wanted] == [*reversed(kinds[2:]), "Gateway", "VirtualService"]
    found = compared([], [synced(kind) for kind in kinds])
    assert [item.ref.kind for item in found.surplus] == [*kinds[:2], *kinds[2:]]


def test_what_waits_is_counted_and_named() -> None:
    objects = [configured(name=f"web-{number}", place="late") for number in range(6)]
    (difference,) = compared(objects, []).reported
    assert difference.objects == 6
    assert difference.what == (
        "there is no namespace late in dr; 6 objects of prod are not applied: VirtualService late/web-0, "
        "VirtualService late/web-1, VirtualService late/web-2, VirtualService late/web-3 and 2 more"
    )


def test_a_mark_of_istiods_is_nobodys_edit() -> None:
    mark: dict[str, Any] = {"f:metadata": {"f:annotations": {".": {}, "f:gateway.istio.io/controller-version": {}}}}
    entries = [
        {"manager": SYNC_MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:hosts": {}}}},
        {"manager": "istio.io/gateway-controller", "operation": "Update", "fieldsV1": mark},
    ]
    found = compare_objects(side("prod"), side("dr", synced(managedFields=entries)), NONE)
    assert [item.ref.name for item in found.surplus] == ["web"]
    label: dict[str, Any] = {"f:metadata": {"f:labels": {"f:team": {}}}}
    entries.append({"manager": "kubectl-label", "operation": "Update", "fieldsV1": label})
    found = compare_objects(side("prod"), side("dr", synced(managedFields=entries)), NONE)
    assert found.surplus == ()
    assert "kubectl-label changed it in dr" in found.reported[0].what


@pytest.mark.parametrize(
    ("source", "target", "counts", "words"),
    [
        (
            [configured(deletionTimestamp="then", finalizers=["a.com/x"])],
            [synced()],
            False,
            "VirtualService shop/web is being deleted since then (held by a.com/x) in prod, where it may still be in "
            "force: it stays in dr",
        ),
        (
            [],
            [synced(deletionTimestamp="then", finalizers=["a.com/x", "a.com/y"])],
            True,
            "VirtualService shop/web is not in prod, and is being deleted since then (held by a.com/x, a.com/y) in dr, "
            "where it may still be in force",
        ),
        ([], [configured(deletionTimestamp="then")], False, "is not in prod, and is being deleted since then"),
        (
            [configured()],
            [synced(deletionTimestamp="then", finalizers=["a.com/x"])],
            True,
            "is being deleted since then (held by a.com/x) in dr: sync cannot change it",
        ),
        (
            [configured()],
            [configured(ownerReferences=[{"kind": "Thing", "name": "y"}])],
            True,
            "belongs to Thing y in dr: sync cannot change it",
        ),
    ],
)
def test_what_is_on_its_way_out_is_said(
    source: list[dict[str, Any]], target: list[dict[str, Any]], counts: bool, words: str
) -> None:
    found = compared(source, target)
    (difference,) = found.reported
    assert (found.wanted, found.surplus, difference.counts) == ((), (), counts)
    assert words in difference.what


def test_a_namespace_that_is_being_deleted_is_not_to_be_created() -> None:
    target = replace(side("dr", namespaces=()), ending=frozenset({"shop"}))
    (difference,) = compare_objects(side("prod", configured()), target, NONE).reported
    assert difference.what.startswith("the namespace shop of dr is being deleted; 1 object of prod is not applied")
    assert "Once it is gone, create it as in prod" in difference.todo


def test_a_version_that_the_target_does_not_serve_keeps_no_other_kind_back() -> None:
    older = {"VirtualService.networking.istio.io": frozenset({"v1beta1", "v1alpha3"})}
    rule = configured("DestinationRule")
    there = configured(name="there") | {"apiVersion": "networking.istio.io/v1beta1"}
    target = side("dr", there)
    target = replace(target, kinds={**target.kinds, **older})
    found = compare_objects(side("prod", configured(), rule, configured(name="there")), target, NONE)
    assert [item.ref.kind for item in found.wanted] == ["DestinationRule"]
    (difference,) = found.reported
    assert (difference.subject, difference.counts, difference.objects) == (Subject.KIND, True, 1)
    assert difference.what == (
        "dr does not serve VirtualService.networking.istio.io in version v1, only in v1alpha3, v1beta1; 1 object of "
        "prod is not applied: VirtualService shop/web"
    )


def test_a_conflict_about_an_annotation_names_it() -> None:
    entries = [
        {"manager": "annotator", "operation": "Update", "fieldsV1": {"f:metadata": {"f:annotations": {"f:extra": {}}}}}
    ]
    (conflict,) = compared([configured()], [configured(annotations={"extra": "1"}, managedFields=entries)]).reported
    assert conflict.what.endswith("somebody else set in dr: metadata.annotations.extra (set by annotator)")
