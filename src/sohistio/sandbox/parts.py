"""The command lines of the processes that make the control plane."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from sohistio.sandbox.credentials import CONTROLLER_MANAGER, SANDBOX, SCHEDULER
from sohistio.sandbox.modules import program_path

SERVICE_RANGE = "10.0.0.0/16"
POD_RANGE = "10.244.0.1/16"
"""Both as AKS has them by default. Nothing listens there: see network.py. Sandboxes with traffic have ranges of their
own: traffic/addresses.py."""

NETWORK_SOCKET = "network.sock"
"""Relative to the sandbox's folder, where all parts run: socket names may have 107 bytes, folders have more."""

AUTHENTICATION_FILE = "authentication.json"
"""Issuers of tokens that the API server trusts beside its own (AuthenticationConfiguration); changes take effect."""

_QUICK = ("--kube-api-qps=500", "--kube-api-burst=1000")
_SYNCS = ("deployment", "replicaset", "endpoint", "service-endpoint", "serviceaccount-token", "namespace", "gc")


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of the control plane on 127.0.0.1."""

    etcd: int
    etcd_peers: int
    api_server: int


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start: `name` is what status calls it, `address` where it listens, if it does."""

    name: str
    argv: tuple[str, ...]
    address: str = ""


def api_server_url(ports: Ports) -> str:
    return f"https://127.0.0.1:{ports.api_server}"


def etcd(folder: Path, ports: Ports) -> Command:
    client, peers = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peers}"
    return Command(
        "etcd",
        (
            str(program_path("etcd")),
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
            "--auto-compaction-retention=1h",
            "--log-level=warn",
        ),
        client,
    )


def api_server(folder: Path, ports: Ports, services: str = SERVICE_RANGE) -> Command:
    key = folder / "service-accounts.key"
    return Command(
        "kube-apiserver",
        (
            str(program_path("kube-apiserver")),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={ports.api_server}",
            f"--cert-dir={folder / 'tls'}",
            f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={folder / 'tokens.csv'}",
            f"--authentication-config={folder / AUTHENTICATION_FILE}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-cluster-ip-range={services}",
            "--allow-privileged=true",
            f"--egress-selector-config-file={folder / 'egress.json'}",
            f"--audit-policy-file={folder / 'audit-policy.json'}",
            f"--audit-log-path={folder / 'audit.log'}",
            "--audit-log-maxsize=200",
            "--audit-log-maxbackup=1",
        ),
        api_server_url(ports),
    )


def controller_manager(folder: Path) -> Command:
    kubeconfig = folder / f"{CONTROLLER_MANAGER}.kubeconfig"
    return Command(
        "kube-controller-manager",
        (
            str(program_path("kube-controller-manager")),
            f"--kubeconfig={kubeconfig}",
            f"--service-account-private-key-file={folder / 'service-accounts.key'}",
            f"--root-ca-file={folder / 'tls' / 'apiserver.crt'}",
            "--use-service-account-credentials=true",
            "--horizontal-pod-autoscaler-sync-period=2s",
            "--leader-elect=false",
            "--secure-port=0",
            *_QUICK,
            *(f"--concurrent-{controller}-syncs=20" for controller in _SYNCS),
        ),
    )


def scheduler(folder: Path) -> Command:
    return Command(
        "kube-scheduler",
        (
            str(program_path("kube-scheduler")),
            f"--kubeconfig={folder / f'{SCHEDULER}.kubeconfig'}",
            "--leader-elect=false",
            "--secure-port=0",
            *_QUICK,
        ),
    )


def kwok(folder: Path, pods: str = POD_RANGE) -> Command:
    return Command(
        "kwok",
        (
            str(program_path("kwok")),
            f"--kubeconfig={folder / f'{SANDBOX}.kubeconfig'}",
            f"--config={folder / 'stages.yaml'}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            f"--cidr={pods}",
            "--node-ip=10.224.0.4",
            "--node-lease-duration-seconds=40",
            "--v=WARN",
        ),
    )


def write_settings(folder: Path, stages: str | None = None) -> None:
    """The files that the control plane's flags point at; `stages` are kwok's, where they are not the usual ones."""
    if stages is None:
        stages = usual_stages()
    (folder / "stages.yaml").write_text(stages, encoding="utf-8")
    trusted = folder / AUTHENTICATION_FILE
    if not trusted.exists():
        _write_json(trusted, {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"})
    proxy = {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": NETWORK_SOCKET}}}
    _write_json(
        folder / "egress.json",
        {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": "cluster", "connection": proxy}],
        },
    )
    _write_json(
        folder / "audit-policy.json",
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [
                # What the control plane reads all the time would bury what others do.
                {"level": "None", "userGroups": ["system:serviceaccounts"], "verbs": ["get", "list", "watch"]},
                {
                    "level": "None",
                    "users": ["system:sandbox", "system:kube-controller-manager", "system:kube-scheduler"],
                    "verbs": ["get", "list", "watch"],
                },
                {"level": "None", "users": ["system:apiserver"]},
                {
                    "level": "None",
                    "users": ["system:sandbox"],
                    "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}],
                },
                {"level": "Metadata"},
            ],
        },
    )


def usual_stages() -> str:
    """What kwok does to nodes and pods, as the YAML documents that it reads."""
    return files("sohistio.sandbox").joinpath("stages.yaml").read_text(encoding="utf-8")


def _write_json(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
