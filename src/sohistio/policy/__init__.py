"""The mesh's policy: Istio's objects made of what an environment declares, and how they compare. Pure."""
