#!/usr/bin/env bash
# What a team would write around istioctl and kubectl for the same job: apply the environment's IstioOperator, wait for
# istiod and the gateways, then restart the Deployments whose sidecar is not of this version. It stops at the first error.
#
#   ISTIOCTL=… KUBECONFIG=… baseline.sh CONTEXT OPERATOR VERSION
set -euo pipefail

context=$1 operator=$2 version=$3
kube=(kubectl --context "$context")

"$ISTIOCTL" install --context "$context" -y -f "$operator"

deployments=$("${kube[@]}" -n istio-system get deployments -l operator.istio.io/component -o name)
for deployment in $deployments; do
  "${kube[@]}" -n istio-system rollout status "$deployment" --timeout 5m
done

# A pod with another proxy image → its ReplicaSet → its Deployment.
"${kube[@]}" get pods --all-namespaces -o json |
  python3 -c '
import json, sys
version = sys.argv[1]
stale = set()
for pod in json.load(sys.stdin)["items"]:
    containers = pod["spec"]["containers"] + (pod["spec"].get("initContainers") or [])
    images = [one["image"] for one in containers if one["name"] == "istio-proxy"]
    owners = pod["metadata"].get("ownerReferences") or []
    if pod["metadata"]["namespace"] == "istio-system" or not images or images[0].endswith(":" + version):
        continue
    stale |= {(pod["metadata"]["namespace"], one["name"].rpartition("-")[0]) for one in owners if one["kind"] == "ReplicaSet"}
for namespace, name in sorted(stale):
    print(namespace, name)
' "$version" |
  while read -r namespace name; do
    "${kube[@]}" -n "$namespace" rollout restart deployment "$name"
    "${kube[@]}" -n "$namespace" rollout status deployment "$name" --timeout 5m
  done
