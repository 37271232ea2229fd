"""Everything of the kubernetes package that a client of it imports late; to be imported by one thread alone."""

import kubernetes.client.api_client
import kubernetes.client.configuration
import kubernetes.client.exceptions
import kubernetes.config.config_exception
import kubernetes.config.exec_provider
import kubernetes.config.kube_config
import urllib3
import yaml

__all__ = ["kubernetes", "urllib3", "yaml"]
