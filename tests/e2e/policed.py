"""A mesh with a policy, workloads whose sidecars run, and servers outside: the world of the policy's stories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_workloads import MeshWorkload, apply_to, deploy_workload
from outside import Outside, https_server, line_server
from own_environments import own_environments
from requests_by_address import Answer, get, trusting
from sandboxes import Sandbox
from shop import SYSTEM, await_true, traffic_of, traffic_sandbox
from sohistio.sandbox.traffic.addresses import Addresses, loopback_of
from sohistio.system.certificates import Authority
from tokens import Issuer
from workloads import apply, namespace

HOST, API, DATABASE, WRONG = "shop.example.com", "api.partner.test", "db.partner.test", "wrong.partner.test"
SPARE = "spare.example.com"
NAMESPACES = ("shop", "payments", "media", "flaky", "narrow", "rated")
_CONFIG, _SHORT_LIVED = "proxy.istio.io/config", '{"proxyMetadata": {"SECRET_TTL": "20s"}}'
_SECRETS = f"/api/v1/namespaces/{SYSTEM}/secrets"


@dataclass(frozen=True)
class World:
    """`checkout` may call the ledger and go out, `intruder` may do neither; `player` takes plaintext."""

    sandbox: Sandbox
    folder: Path
    address: str
    authority: Authority
    issuer: Issuer
    policy: dict[str, Any]
    ledger: MeshWorkload
    player: MeshWorkload
    checkout: MeshWorkload
    intruder: MeshWorkload
    flaky: MeshWorkload
    narrow: MeshWorkload
    rated: MeshWorkload
    partner: Outside
    database: Outside

    @property
    def workloads(self) -> tuple[MeshWorkload, ...]:
        return (self.ledger, self.player, self.checkout, self.intruder, self.flaky, self.narrow, self.rated)

    def install(self, policy: dict[str, Any] | None) -> Any:
        return self.sandbox.run("install", *self.flags(policy), "--yes")

    def flags(self, policy: dict[str, Any] | None) -> tuple[str, ...]:
        more = {"policy": policy} if policy is not None else {}
        return own_environments(self.folder, ingressAddress=self.address, applicationNamespaces=[*NAMESPACES], **more)

    def ask(self, path: str = "/", *, host: str = HOST, token: str = "") -> Answer:
        """Through the ingress gateway."""
        trusted = trusting(self.authority.certificate)
        if not token:
            return get(self.address, host, trusted, path)
        return get(self.address, host, trusted, path, Authorization=f"Bearer {token}")

    def log_of(self, pod: str) -> str:
        """What a proxy has written on its standard output."""
        return "".join(
            file.read_text(errors="replace") for file in (self.sandbox.folder / "logs").glob(f"envoy-{pod}*.log")
        )


def policy_for(issuer: Issuer, outside: str) -> dict[str, Any]:
    """All parts of it. `outside` are the first three octets of the servers outside."""
    return {
        "mtls": {"permissive": ["media"]},
        "jwt": [{"issuer": issuer.name, "audiences": ["shop"], "jwks": issuer.jwks}],
        "hosts": [
            {
                "hosts": [HOST],
                "allow": [
                    {"paths": ["/health"], "anonymous": True},
                    {"paths": ["/api/*"], "claims": {"groups": ["readers"]}},
                    {"paths": ["/alice"], "principals": [f"{issuer.name}/alice"]},
                ],
            }
        ],
        "workloads": [
            {
                "namespace": "payments",
                "labels": {"app": "ledger"},
                "allow": [{"serviceAccounts": ["shop/checkout"], "methods": ["GET"], "paths": ["/*"]}],
            }
        ],
        "ingress": [
            {
                "name": "shop",
                "hosts": [HOST, SPARE],
                "credentialName": "shop-tls",
                "routes": [{"path": "/", "service": "player.media", "port": 9000}],
            }
        ],
        "egress": {
            "mode": "registryOnly",
            "hosts": [
                {
                    "host": API,
                    "serviceAccounts": ["shop/checkout"],
                    "addresses": [f"{outside}.1"],
                    "caCredential": "partner-ca",
                },
                {
                    "host": DATABASE,
                    "port": 5432,
                    "tls": "originate",
                    "serviceAccounts": ["shop/checkout"],
                    "addresses": [f"{outside}.2"],
                    "caCredential": "partner-ca",
                },
                {
                    "host": WRONG,
                    "namespaces": ["shop"],
                    "addresses": [f"{outside}.3"],
                    "caCredential": "partner-ca",
                },
            ],
        },
        "defaults": [
            {
                "namespace": "flaky",
                "services": ["flaky"],
                "retries": {"attempts": 2, "perTry": "2s", "when": "5xx"},
                "timeout": "8s",
                "outlierDetection": {
                    "consecutive5xx": 5,
                    "interval": "1s",
                    "ejection": "3s",
                    "maxEjectionPercent": 100,
                },
            },
            {"namespace": "narrow", "connections": {"max": 1, "maxPending": 1}},
            {"namespace": "rated", "rateLimit": {"requests": 5, "per": "60s"}},
        ],
        "telemetry": {"accessLog": "json"},
    }


@contextmanager
def policed_world(folder: Path) -> Iterator[World]:
    """A sandbox of its own with the mesh, its policy and all workloads ready."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(traffic_sandbox(folder, nodes=1))
        number = traffic_of(sandbox)["traffic"]["number"]
        # Of the pods' range, which the sandbox leads to this machine; no pod has them.
        outside = f"{Addresses(number).pod_range.rpartition('.0.0/')[0]}.250"
        partner, other = Authority("the partner's"), Authority("somebody's")
        servers = (
            https_server(loopback_of(f"{outside}.1"), 443, partner.issue([API])),
            line_server(loopback_of(f"{outside}.2"), 5432, partner.issue([DATABASE])),
            https_server(loopback_of(f"{outside}.3"), 443, other.issue([WRONG])),
        )
        api_seen, database_seen, _ = (stack.enter_context(server) for server in servers)
        issuer, authority = Issuer("https://login.example.com"), Authority("the test's")
        policy, address = policy_for(issuer, outside), f"127.{100 + number}.2.10"
        for name in NAMESPACES:
            apply(sandbox.api, namespace(name, injected=False))
        apply(sandbox.api, namespace(SYSTEM, injected=False))
        issued = authority.issue((HOST, SPARE))
        tls = {"type": "kubernetes.io/tls", "stringData": {"tls.crt": issued.certificate, "tls.key": issued.key}}
        apply_to(sandbox, _SECRETS, {"kind": "Secret", "metadata": {"name": "shop-tls"}} | tls)
        trusted = {"stringData": {"ca.crt": partner.certificate}}
        apply_to(sandbox, _SECRETS, {"kind": "Secret", "metadata": {"name": "partner-ca"}} | trusted)
        mesh = {9000: ["*/*"], 80: ["*/*"], 5432: ["istio-system/*"]}

        installed = sandbox.run(
            "install",
            *own_environments(
                folder,
                ingressAddress=address,
                applicationNamespaces=[*NAMESPACES],
                policy=policy,
            ),
            "--yes",
        )
        assert installed.returncode in (0, 5), installed.stdout + installed.stderr
        found = World(
            sandbox,
            folder,
            address,
            authority,
            issuer,
            policy,
            ledger=deploy_workload(sandbox, "payments", "ledger"),
            player=deploy_workload(sandbox, "media", "player"),
            checkout=deploy_workload(sandbox, "shop", "checkout", calls=mesh, tcp=(5432,)),
            intruder=deploy_workload(sandbox, "shop", "intruder", calls=mesh, tcp=(5432,)),
            # Its certificate lives for seconds; the story of retries is its application.
            flaky=deploy_workload(sandbox, "flaky", "flaky", backend=False, annotations={_CONFIG: _SHORT_LIVED}),
            narrow=deploy_workload(sandbox, "narrow", "narrow"),
            rated=deploy_workload(sandbox, "rated", "rated"),
            partner=api_seen,
            database=database_seen,
        )
        for workload in found.workloads:
            workload.await_ready()
        await_true(lambda: all(_status(found) == 200 for _ in range(9)))
        yield found


def _status(world: World) -> int:
    try:
        return world.ask("/health").status
    except OSError:  # an Envoy has no certificate yet
        return 0
