#!/usr/bin/env bash
# `istioctl install` alone, plus the waits that sohistio has: istiod first, then one gateway after the other, each until
# its rollout is over. It backs up nothing, checks nothing before, and verifies nothing after.
#
#   ISTIOCTL=… KUBECONFIG=… careful.sh CONTEXT OPERATOR
set -euo pipefail

context=$1 operator=$2
kube=(kubectl --context "$context" -n istio-system)

over() { "${kube[@]}" rollout status "deployment/$1" --timeout 5m; }
paused() { "${kube[@]}" patch deployment "$1" --type merge -p "{\"spec\": {\"paused\": $2}}"; }

gateways=$("${kube[@]}" get deployments -l operator.istio.io/component=IngressGateways -o jsonpath='{.items[*].metadata.name}')
gateways+=" $("${kube[@]}" get deployments -l operator.istio.io/component=EgressGateways -o jsonpath='{.items[*].metadata.name}')"
for gateway in $gateways; do
  paused "$gateway" true
done
"$ISTIOCTL" install --context "$context" -y -f "$operator"
over istiod
for gateway in $gateways; do
  paused "$gateway" false
  over "$gateway"
done
if [[ -z ${gateways// /} ]]; then
  over istio-ingressgateway
  over istio-egressgateway
fi
