"""Which objects of monitoring are applied, which are deleted, what is left alone, and what a plan says of the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from monitored import WHOLE, installation
from sohistio.model.monitoring import GRAFANA_ADMIN, MONITORING_LABEL, REHEARSAL, Monitoring
from sohistio.model.state import ObjectRef
from sohistio.monitoring.compare import Comparison, compared
from sohistio.monitoring.planner import monitoring_phase
from sohistio.monitoring.render import monitoring_objects
from sohistio.plan.changes import FieldChange, ref_of
from sohistio.plan.monitoring_steps import ApplyMonitoring, AwaitMonitoring, MakeSecrets, PruneMonitoring
from sohistio.plan.ownership import MONITORING_MANAGER

DISK = ObjectRef("PersistentVolumeClaim", "istio-system", "prometheus")
GRAFANA = ObjectRef("Deployment", "istio-system", "grafana")


def live_of(monitoring: Monitoring, manager: str = MONITORING_MANAGER) -> dict[ObjectRef, dict[str, Any]]:
    """The same as if it had been applied."""
    found = {}
    for obj in monitoring_objects(installation(monitoring)):
        metadata = obj["metadata"] | {"managedFields": [{"manager": manager}]}
        found[ref_of(obj)] = obj | {"metadata": metadata}
    return found


def comparison(
    wanted: Monitoring,
    live: dict[ObjectRef, dict[str, Any]],
    differences: dict[ObjectRef, tuple[FieldChange, ...]] | None = None,
) -> Comparison:
    objects = monitoring_objects(installation(wanted))
    return compared(objects, live, differences or {}, "qa", dict.fromkeys(wanted.secrets, True), (REHEARSAL,))


def steps_of(found: Comparison) -> list[Any]:
    paths = dict.fromkeys(found.surplus, "/a/path")
    return [step for phase in monitoring_phase(found, "qa", paths) for step in phase.steps]


def test_nothing_is_done_where_all_is_in_place() -> None:
    found = comparison(WHOLE, live_of(WHOLE))
    assert (found.changes, found.to_apply, found.surplus) == ((), (), ())
    assert steps_of(found) == []
    assert found.compared == len(live_of(WHOLE))


def test_what_is_missing_is_made_with_its_secrets() -> None:
    objects = monitoring_objects(installation())
    found = compared(objects, {}, {}, "qa", {GRAFANA_ADMIN: False})
    kinds = [type(step) for step in steps_of(found)]
    assert kinds == [MakeSecrets, ApplyMonitoring, AwaitMonitoring]
    secrets, applied, awaited = steps_of(found)
    assert (secrets.objects, secrets.keys) == ((GRAFANA_ADMIN,), ("password",))
    assert len(applied.parsed) == len(objects)
    assert applied.effects == ()
    assert {ref.name for ref in awaited.deployments} == {part.value for part in WHOLE.parts}


def test_turning_one_off_takes_exactly_its_objects() -> None:
    before = live_of(WHOLE)
    for name in ("grafana", "kiali", "jaeger", "alerts"):
        fewer = replace(WHOLE, **cast(Any, {name: None}), expose=None)
        found = comparison(fewer, before)
        gone = {ref_of(obj) for obj in monitoring_objects(installation(WHOLE))}
        gone -= {ref_of(obj) for obj in monitoring_objects(installation(fewer))}
        assert set(found.surplus) == gone, name
        assert found.surplus[-1].kind == "ConfigMap", "what tells that there is something left goes last"
        assert found.surplus[0].kind == "Deployment"


def test_the_plan_says_what_data_goes() -> None:
    nothing = comparison(Monitoring(), live_of(WHOLE))
    (pruned,) = steps_of(nothing)
    assert isinstance(pruned, PruneMonitoring)
    assert pruned.effects == (
        "deletes prometheus with all metrics on its disk of 50Gi",
        "deletes alertmanager with silences",
        "deletes grafana with what people made in it",
        "deletes jaeger with all traces",
    )
    assert WHOLE.prometheus is not None
    without_disk = replace(WHOLE, prometheus=replace(WHOLE.prometheus, storage=None))
    found = comparison(without_disk, live_of(WHOLE))
    assert found.surplus == (DISK,)
    (pruned,) = steps_of(found)
    assert pruned.effects == ("deletes the disk of prometheus (50Gi) with all metrics",)


def test_a_restart_that_loses_data_says_so() -> None:
    change = (FieldChange("spec.template.spec.containers.grafana.image", "a", "b"),)
    found = comparison(WHOLE, live_of(WHOLE), {GRAFANA: change})
    applied = steps_of(found)[0]
    assert applied.effects == ("restarts grafana, which loses what people made in it (no disk of its own)",)
    prometheus = ObjectRef("Deployment", "istio-system", "prometheus")
    found = comparison(WHOLE, live_of(WHOLE), {prometheus: change})
    assert steps_of(found)[0].effects == (), "its disk stays"


def test_what_others_made_is_left_alone() -> None:
    stranger = live_of(WHOLE)
    del stranger[GRAFANA]["metadata"]["labels"][MONITORING_LABEL]
    found = comparison(WHOLE, stranger, {GRAFANA: (FieldChange("spec", 1, 2),)})
    assert found.foreign == (GRAFANA,)

    forged = comparison(Monitoring(), live_of(WHOLE, manager="kubectl"))
    assert forged.surplus == ()
    assert set(forged.unowned) == set(live_of(WHOLE))

    of_another = live_of(WHOLE)
    for obj in of_another.values():
        obj["metadata"]["labels"][MONITORING_LABEL] = "prod"
    assert comparison(Monitoring(), of_another).surplus == ()


def test_what_a_rehearsal_wrote_is_not_too_much() -> None:
    live = live_of(WHOLE)
    live[REHEARSAL] = {
        "metadata": {"labels": {MONITORING_LABEL: "qa"}, "managedFields": [{"manager": MONITORING_MANAGER}]}
    }
    assert comparison(WHOLE, live).surplus == ()
    gone = compared((), live, {}, "qa", {})
    assert REHEARSAL in gone.surplus
