#!/usr/bin/env bash
# `istioctl install` alone, plus the waits that sohistio has. It backs up nothing, checks nothing before, and verifies
# nothing after. With the word `upgrade`: istioctl cannot hold a gateway back, so both roll beside istiod; each then
# rolls once more, one after the other, for the time that sohistio waits for them.
#
#   ISTIOCTL=… KUBECONFIG=… careful.sh CONTEXT OPERATOR [upgrade]
set -euo pipefail

context=$1 operator=$2 upgrade=${3-}
kube=(kubectl --context "$context" -n istio-system)

over() { "${kube[@]}" rollout status "deployment/$1" --timeout 5m; }

"$ISTIOCTL" install --context "$context" -y -f "$operator"
for deployment in istiod istio-ingressgateway istio-egressgateway; do
  over "$deployment"
done
if [[ $upgrade ]]; then
  for gateway in istio-ingressgateway istio-egressgateway; do
    "${kube[@]}" rollout restart "deployment/$gateway"
    over "$gateway"
  done
fi
