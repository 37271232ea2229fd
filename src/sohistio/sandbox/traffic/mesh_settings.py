"""What only the sandbox needs of istiod, kept out of the cluster: it reads it from files beside Kubernetes."""

from __future__ import annotations

from pathlib import Path

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError

_CONFIG_MAP = "sandbox-mesh"
_CONFIG_MAPS = "/api/v1/namespaces/istio-system/configmaps"
_FILES = "mesh-settings"
# A stock Envoy lacks Istio's filter for metrics, and rejects listeners that name it. It is taken out of listeners, not
# switched off by a Telemetry: of two mesh-wide ones a user's own would have no effect.
_NO_ISTIO_METRICS = """apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: sandbox-stock-envoy
  namespace: istio-system
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      listener:
        filterChain:
          filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: istio.stats}}
    patch: {operation: REMOVE}
  - applyTo: NETWORK_FILTER
    match:
      listener: {filterChain: {filter: {name: istio.stats}}}
    patch: {operation: REMOVE}
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
        (self._files / "stock-envoy.yaml").write_text(_NO_ISTIO_METRICS, encoding="ascii")
        mesh = f"configSources:\n- address: fs://{self._files}\n- address: k8s://\n"
        wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _CONFIG_MAP}, "data": {"mesh": mesh}}
        try:
            self._api.create(_CONFIG_MAPS, wanted)
        except ClusterApiError as error:
            if error.status != 409:
                raise
            self._api.patch(f"{_CONFIG_MAPS}/{_CONFIG_MAP}", {"data": {"mesh": mesh}})
        return {"SHARED_MESH_CONFIG": _CONFIG_MAP}
