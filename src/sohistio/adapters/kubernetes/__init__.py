"""Adapters to the Kubernetes API: what is seen in a cluster, and why something in it does not get on."""
