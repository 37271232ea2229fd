"""The objects of monitoring: all of them in a golden file, and what holds of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitored import GATEWAY, WHOLE, installation
from sohistio.environments.yaml_files import to_yaml
from sohistio.model.monitoring import REHEARSAL, UI_PORTS, Monitoring, Part, Prometheus, Storage
from sohistio.monitoring.render import monitoring_objects
from sohistio.planning.declared_monitoring import with_text

GOLDEN = Path(__file__).parent / "golden"


def objects_of(*kinds: str, monitoring: Monitoring = WHOLE, **about: Any) -> dict[str, dict[str, Any]]:
    """By name."""
    found = monitoring_objects(installation(monitoring, **about))
    return {obj["metadata"]["name"]: obj for obj in found if obj["kind"] in kinds}


def test_a_whole_installation() -> None:
    """After a change that is meant, write the file anew: delete it, run the test, read the difference."""
    objects = monitoring_objects(installation(rehearsed=1_795_000_000))
    text = "---\n".join(to_yaml(with_text(obj)) for obj in objects)
    file = GOLDEN / "whole.yaml"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        pytest.fail(f"{file} was written: read it")
    assert text == file.read_text()
    assert list(yaml.safe_load_all(text)) == [with_text(obj) for obj in objects]


def test_what_is_not_declared_is_not_rendered() -> None:
    assert monitoring_objects(installation(Monitoring())) == ()
    alone = objects_of("Deployment", monitoring=Monitoring(prometheus=Prometheus()))
    assert list(alone) == ["prometheus"]


@pytest.mark.parametrize("part", [part.value for part in Part])
def test_a_pod_may_do_next_to_nothing(part: str) -> None:
    pod = objects_of("Deployment")[part]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"].keys() == {"requests", "limits"}
    assert {"readinessProbe", "livenessProbe"} <= container.keys()
    assert pod["automountServiceAccountToken"] is (part in ("prometheus", "kiali"))
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume)


@pytest.mark.parametrize("part", [part.value for part in Part])
def test_mounts_do_not_cover_each_other(part: str) -> None:
    (container,) = objects_of("Deployment")[part]["spec"]["template"]["spec"]["containers"]
    paths = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert not [(a, b) for a in paths for b in paths if a != b and f"{b}/".startswith(f"{a}/")]


@pytest.mark.parametrize("part", list(UI_PORTS))
def test_a_gateway_is_let_in_where_pages_are_exposed(part: Part) -> None:
    def gateways(monitoring: Monitoring) -> list[int]:
        spec = objects_of("NetworkPolicy", monitoring=monitoring)[part.value]["spec"]
        pods = {"podSelector": {"matchLabels": dict(GATEWAY.labels)}}
        return [rule["ports"][0]["port"] for rule in spec["ingress"] if pods in rule.get("from", ())]

    assert gateways(WHOLE) == [UI_PORTS[part]]
    assert gateways(replace(WHOLE, expose=None)) == []


def test_nobody_but_proxies_is_let_in_from_everywhere() -> None:
    everybody = [
        (name, rule["ports"][0]["port"])
        for name, policy in objects_of("NetworkPolicy").items()
        for rule in policy["spec"]["ingress"]
        if "from" not in rule
    ]
    assert everybody == [("jaeger", 4317), ("jaeger", 4318)]


def test_prometheus_reads_its_files_anew_and_the_others_are_restarted() -> None:
    def marks(monitoring: Monitoring) -> dict[str, str | None]:
        found = objects_of("Deployment", monitoring=monitoring)
        return {
            name: item["spec"]["template"]["metadata"]["annotations"].get("sohistio/configuration")
            for name, item in found.items()
        }

    before, after = marks(WHOLE), marks(replace(WHOLE, runbooks="https://other.example.com", alerts=None))
    assert before["prometheus"] is after["prometheus"] is None
    assert before["jaeger"] == after["jaeger"]
    assert WHOLE.alerts is not None
    other = replace(WHOLE, alerts=replace(WHOLE.alerts, teams=None))
    assert marks(other)["alertmanager"] != before["alertmanager"]


@pytest.mark.parametrize(("size", "blocks"), [("50Gi", "40960MB"), ("1Ti", "838860MB"), ("500Mi", "400MB")])
def test_prometheus_leaves_room_on_its_disk(size: str, blocks: str) -> None:
    monitoring = Monitoring(prometheus=Prometheus(storage=Storage(size)))
    (container,) = objects_of("Deployment", monitoring=monitoring)["prometheus"]["spec"]["template"]["spec"][
        "containers"
    ]
    assert f"--storage.tsdb.retention.size={blocks}" in container["args"]


def test_a_rehearsal_is_a_standbys() -> None:
    assert REHEARSAL.name in objects_of("ConfigMap", rehearsed=1_795_000_000)
    assert REHEARSAL.name not in objects_of("ConfigMap", rehearsed=0)
    assert REHEARSAL.name not in objects_of("ConfigMap", rehearsed=1_795_000_000, is_standby=False)


def test_kiali_itself_writes_nothing() -> None:
    """Its wizards write with the token of whoever has logged in."""
    rules = objects_of("ClusterRole")["sohistio-kiali"]["rules"]
    verbs = {verb for rule in rules for verb in rule["verbs"] if rule["resources"] != ["tokenreviews"]}
    assert verbs == {"get", "list", "watch"}
