"""A real mesh on one machine: etcd, the Kubernetes control plane, kwok's nodes and istiod, as plain processes."""
