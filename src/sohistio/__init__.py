"""sohistio installs, upgrades and reinstalls Istio on Azure Kubernetes Service, one environment at a time."""

__version__ = "0.1.0"
