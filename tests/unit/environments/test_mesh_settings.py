"""What of a policy stands in the IstioOperator, and what istiooperator.yaml then must not say itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from environment_folder import VARIABLES, environment_folder
from sohistio.environments.load import load_environment, problems_of
from sohistio.environments.mesh_settings import PLACES, lost_settings, mesh_settings
from sohistio.model.policy import Policy

EVERYTHING = """\
policy:
  mtls: {minTls: "1.2", cipherSuites: [ECDHE-RSA-AES256-GCM-SHA384]}
  jwt: [{issuer: "https://a.b", audiences: [c], jwksUri: "https://a.b/keys"}]
  hosts: [{hosts: [a.b], allow: [{paths: [/], anonymous: true}]}]
  egress: {}
  telemetry: {accessLog: json, proxyLogLevel: warning, tracing: {service: jaeger.observability}}
"""


def spec(tmp_path: Path, policy: str) -> dict[str, Any]:
    operator = load_environment("qa", environment_folder(tmp_path, qa=policy), VARIABLES).operator_for()
    found: dict[str, Any] = operator["spec"]
    return found


def test_all_of_it_enforced(tmp_path: Path) -> None:
    found = spec(tmp_path, EVERYTHING)
    tls = {"minProtocolVersion": "TLSV1_2", "cipherSuites": ["ECDHE-RSA-AES256-GCM-SHA384"]}
    mesh = found["meshConfig"]
    log, tracing = mesh.pop("extensionProviders")
    assert mesh == {
        "meshMTLS": tls,
        "tlsDefaults": tls,
        "defaultConfig": {"proxyMetadata": {"SECRET_TTL": "24h0m0s"}},
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "pathNormalization": {"normalization": "DECODE_AND_MERGE_SLASHES"},
    }
    assert (log["name"], log["envoyFileAccessLog"]["path"]) == ("sohistio-access-log", "/dev/stdout")
    labels = log["envoyFileAccessLog"]["logFormat"]["labels"]
    assert labels["response_code_details"] == "%RESPONSE_CODE_DETAILS%"
    assert not [name for name in labels if "authorization" in name], "no token is logged"
    assert "NQ" in labels["path"], "nor one in a query"
    where = {"service": "jaeger.observability.svc.cluster.local", "port": 4317}
    assert tracing == {"name": "sohistio-tracing", "opentelemetry": where}
    assert found["values"]["global"]["proxy"] == {"logLevel": "warning"}
    assert found["values"]["pilot"]["env"].keys() == {"BLOCKED_CIDRS_IN_JWKS_URIS"}


def test_an_audit_refuses_nothing_and_counts(tmp_path: Path) -> None:
    mesh = spec(tmp_path, f"{EVERYTHING}  stage: audit\n")["meshConfig"]
    assert mesh.keys() == {"defaultConfig", "extensionProviders"}
    assert mesh["defaultConfig"] == {"proxyStatsMatcher": {"inclusionRegexps": [".*rbac.*"]}}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("policy: {}", {}),
        ("policy: {workloads: [{namespace: shop}]}", {}),
        ("policy: {telemetry: {}}", {}),
        ("policy: {egress: {mode: allowAny}}", {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}),
        (
            "policy: {mtls: {workloadCertificates: 90m}}",
            {
                "meshMTLS": {"minProtocolVersion": "TLSV1_3"},
                "tlsDefaults": {"minProtocolVersion": "TLSV1_3"},
                "defaultConfig": {"proxyMetadata": {"SECRET_TTL": "1h30m0s"}},
            },
        ),
    ],
)
def test_what_is_not_given_is_not_rendered(tmp_path: Path, policy: str, expected: dict[str, Any]) -> None:
    assert spec(tmp_path, f"{policy}\n").get("meshConfig", {}) == expected


def test_without_a_policy_nothing_changes(tmp_path: Path) -> None:
    assert mesh_settings(Policy()) == {}
    plain = load_environment("qa", environment_folder(tmp_path / "a"), VARIABLES)
    empty = load_environment("qa", environment_folder(tmp_path / "b", qa="policy: {}\n"), VARIABLES)
    assert empty.operator_for() == plain.operator_for()


def test_what_the_files_say_beside_it_stays(tmp_path: Path) -> None:
    root = environment_folder(tmp_path, qa="policy: {mtls: {}}\n")
    overlay = "spec: {meshConfig: {accessLogFile: '', defaultConfig: {proxyMetadata: {A: b}, concurrency: 2}}}\n"
    (root / "qa/istiooperator.yaml").write_text(overlay)
    mesh = load_environment("qa", root, VARIABLES).operator_for()["spec"]["meshConfig"]
    assert mesh["accessLogFile"] == ""
    assert mesh["defaultConfig"] == {"proxyMetadata": {"A": "b", "SECRET_TTL": "24h0m0s"}, "concurrency": 2}


def _nested(place: tuple[str, ...]) -> str:
    return f"spec: {''.join(f'{{{key}: ' for key in place)}1{'}' * len(place)}\n"


@pytest.mark.parametrize(
    ("place", "below"),
    [
        pytest.param(place, below, id=".".join((*below, *place)))
        for place in PLACES
        for below in ((), ("values",), ("unvalidatedValues",))
        if not below or place[0] == "meshConfig"
    ],
)
def test_one_key_is_decided_in_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[str, ...], below: tuple[str, ...]
) -> None:
    audit = "  stage: audit\n" if "proxyStatsMatcher" in place else ""
    root = environment_folder(tmp_path, qa=EVERYTHING + audit)
    (root / "qa/istiooperator.yaml").write_text(f"# mine\n{_nested((*below, *place))}")
    monkeypatch.chdir(tmp_path)
    (problem,) = problems_of("qa", root, VARIABLES)
    key = ".".join(("spec", *below, *place))
    assert str(problem) == (
        f"environments/qa/istiooperator.yaml:2: {key}: is set by {PLACES[place]} in environment.yaml"
    )


def test_it_is_no_problem_where_the_policy_does_not_set_it(tmp_path: Path) -> None:
    root = environment_folder(tmp_path, qa="policy: {mtls: {}}\n")
    (root / "qa/istiooperator.yaml").write_text("spec: {meshConfig: {outboundTrafficPolicy: {mode: ALLOW_ANY}}}\n")
    assert problems_of("qa", root, VARIABLES) == ()


@pytest.mark.parametrize("stage", ["enforce", "audit"])
def test_every_setting_is_at_a_place_that_is_known(tmp_path: Path, stage: str) -> None:
    """Else istiooperator.yaml could set it too, unnoticed."""
    environment = load_environment("qa", environment_folder(tmp_path, qa=f"{EVERYTHING}  stage: {stage}\n"), VARIABLES)
    found = mesh_settings(environment.mesh_policy())["spec"]

    def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        if path in PLACES or not isinstance(value, dict):
            return [path]
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]

    assert set(leaves(found)) <= set(PLACES)


@pytest.mark.parametrize(
    ("overlay", "key"),
    [
        ("{meshConfig: {rootNamespace: other}}", "spec.meshConfig.rootNamespace"),
        (
            "{unvalidatedValues: {meshConfig: {rootNamespace: other}}}",
            "spec.unvalidatedValues.meshConfig.rootNamespace",
        ),
    ],
)
def test_the_mesh_wide_objects_stay_mesh_wide(tmp_path: Path, overlay: str, key: str) -> None:
    root = environment_folder(tmp_path, qa="policy: {mtls: {}}\n")
    (root / "qa/istiooperator.yaml").write_text(f"spec: {overlay}\n")
    (problem,) = problems_of("qa", root, VARIABLES)
    assert problem.key == key
    assert "is not supported beside policy" in problem.text


def test_what_an_older_manifest_lacks_of_it_is_named(tmp_path: Path) -> None:
    environment = load_environment("qa", environment_folder(tmp_path, qa=EVERYTHING), VARIABLES)
    policy = environment.mesh_policy()
    assert lost_settings(policy, environment.operator_for()) == ()
    older = {"spec": {"meshConfig": {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}}}
    assert lost_settings(policy, older)[:3] == (
        "meshConfig.meshMTLS",
        "meshConfig.tlsDefaults",
        "meshConfig.outboundTrafficPolicy",
    )
    assert lost_settings(Policy(), older) == ()
