"""A small folder of environments: `base` and `qa`, which are valid, and what a test adds."""

from __future__ import annotations

from pathlib import Path

VARIABLES = {"SOHISTIO_IP_PREFIX": "10.20"}
BASE = """\
istio:
  version: 1.31.1
  hub: dtr.metlife.com/istio
  pullSecret: jfrogauth
protected: false
applicationNamespaces: [shop]
timeouts: {component: 5m, total: 20m}
restarts: {parallel: 5, maxFailures: 2, timeout: 90s}
"""
QA = """\
name: qa
ingressAddress: ${SOHISTIO_IP_PREFIX}.20.188
cluster: {context: aks-qa}
"""
OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  components:
    ingressGateways:
      - name: istio-ingressgateway
        enabled: true
    egressGateways:
      - name: istio-egressgateway
        enabled: true
"""


def environment_folder(parent: Path, *, qa: str = "", base: str = "", operator: str = OPERATOR) -> Path:
    """The folder, below `parent`. `qa` and `base` are what comes after the lines that each needs."""
    root = parent / "environments"
    for name, file, text in (
        ("base", "environment.yaml", BASE + base),
        ("base", "istiooperator.yaml", operator),
        ("qa", "environment.yaml", QA + qa),
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / file).write_text(text, encoding="utf-8", newline="")
    return root
