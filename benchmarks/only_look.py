"""A look at a cluster, and what is stale in it: only_look.py KUBECONFIG CONTEXT"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.observe import observe
from sohistio.model.kube_target import KubeTarget

if __name__ == "__main__":
    gc.set_threshold(100_000)  # as sohistio's own start does
    state = observe(KubeApi(KubeTarget(Path(sys.argv[1]), sys.argv[2])))
    assert not state.unreadable, state.unreadable
    print(sum(len(workload.pods) for workload in state.workloads))
