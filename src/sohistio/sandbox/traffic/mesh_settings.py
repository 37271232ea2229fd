"""What only the sandbox needs of istiod, kept out of the cluster: it reads it from files beside Kubernetes."""

from __future__ import annotations

from pathlib import Path

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError

_CONFIG_MAP = "sandbox-mesh"
_CONFIG_MAPS = "/api/v1/namespaces/istio-system/configmaps"
_FILES = "mesh-settings"
# A stock Envoy lacks Istio's filter for metrics, and rejects listeners that name it.
_NO_ISTIO_METRICS = """apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata:
  name: sandbox-stock-envoy
  namespace: istio-system
spec:
  metrics:
  - providers:
    - name: prometheus
    overrides:
    - match: {metric: ALL_METRICS, mode: CLIENT_AND_SERVER}
      disabled: true
"""


class MeshSettings:
    """Files with Istio resources in `<folder>/mesh-settings`, and the ConfigMap that names that folder to istiod.

    Other parts of the sandbox may put files there; istiod follows them.
    """

    def __init__(self, api: ClusterApi, folder: Path) -> None:
        self._api = api
        self._files = folder / _FILES

    def environment(self) -> dict[str, str]:
        """What an istiod that is to be started needs in its environment; raises ClusterApiError.

        The ConfigMap is made here, because istiod reads it only when it starts.
        """
        self._files.mkdir(exist_ok=True)
        (self._files / "telemetry.yaml").write_text(_NO_ISTIO_METRICS, encoding="ascii")
        mesh = f"configSources:\n- address: fs://{self._files}\n- address: k8s://\n"
        wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _CONFIG_MAP}, "data": {"mesh": mesh}}
        try:
            self._api.create(_CONFIG_MAPS, wanted)
        except ClusterApiError as error:
            if error.status != 409:
                raise
            self._api.patch(f"{_CONFIG_MAPS}/{_CONFIG_MAP}", {"data": {"mesh": mesh}})
        return {"SHARED_MESH_CONFIG": _CONFIG_MAP}
