"""Keys, tokens, kubeconfigs and the API server's certificate of a sandbox."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from pathlib import Path

ADMIN = "admin"
SANDBOX = "sandbox"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"

_USERS = {
    ADMIN: ("sohistio-admin", "system:masters"),
    SANDBOX: ("system:sandbox", "system:masters"),
    CONTROLLER_MANAGER: ("system:kube-controller-manager", ""),
    SCHEDULER: ("system:kube-scheduler", ""),
}
_NAMES = ("kubernetes.default.svc", "kubernetes.default", "kubernetes", "localhost")
_DAYS = 365


def write_tokens(path: Path) -> dict[str, str]:
    """The token of each user, made and written (kube-apiserver's --token-auth-file) where there are none yet."""
    if not path.exists():
        lines = [f'{secrets.token_urlsafe(32)},{user},{name},"{group}"' for name, (user, group) in _USERS.items()]
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        path.chmod(0o600)
    fields = (line.split(",") for line in path.read_text(encoding="ascii").splitlines())
    return {name: token for token, _, name, _ in fields}


def write_service_account_key(path: Path) -> None:
    """A private key for service account tokens, if there is none."""
    from sohistio.system.self_signed import private_key

    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(private_key(), encoding="ascii")


def write_serving_certificate(folder: Path, services: str) -> Path:
    """The API server's own certificate (kube-apiserver's --cert-dir), if there is none; the file that proves it.

    For loopback, and for what pods call it: a name, or the first address of the `services`' range.
    """
    from sohistio.system.self_signed import self_signed

    certificate = folder / "apiserver.crt"
    if not certificate.exists():
        folder.mkdir(exist_ok=True, mode=0o700)
        own = ipaddress.IPv4Address("127.0.0.1")
        chain, key = self_signed("kube-apiserver", _NAMES, (own, ipaddress.IPv4Network(services)[1]), _DAYS)
        (folder / "apiserver.key").touch(mode=0o600)
        (folder / "apiserver.key").write_text(key, encoding="ascii")
        certificate.write_text(chain, encoding="ascii")
    return certificate


def write_kubeconfig(path: Path, context: str, server: str, authority: Path, token: str) -> None:
    """A kubeconfig (0600) that verifies the API server by `authority`, with one context."""
    import yaml

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(authority.read_bytes()).decode(),
                },
            }
        ],
        "users": [{"name": context, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(yaml.safe_dump(document, sort_keys=False), encoding="ascii")
    fresh.replace(path)
