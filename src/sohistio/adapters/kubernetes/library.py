"""What sohistio uses of the kubernetes package and of those below it; to be imported late, by one thread alone.

`import kubernetes` imports watches, streams and OAuth logins too: two fifths of the time (docs/performance.md). None
of them is used: lists and watches are read as bytes, and kubeconfig_entries.py refuses the logins.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

import urllib3
import yaml

__all__ = ["ApiClient", "ApiException", "ConfigException", "Configuration", "kube_config", "urllib3", "yaml"]

_PACKAGE = "kubernetes"
_OAUTH = {"oauthlib.oauth2": (), "requests_oauthlib": ("OAuth2Session",)}
"""What kube_config.py imports of them for an `auth-provider`, and uses nowhere else."""


def _without_its_init() -> None:
    """The package as a folder of modules, each imported where it is asked for."""
    spec = find_spec(_PACKAGE)
    if _PACKAGE not in sys.modules and spec is not None:
        sys.modules[_PACKAGE] = module_from_spec(spec)


@contextmanager
def _without_oauth() -> Iterator[None]:
    """Whoever imports one of these later gets the real one."""
    absent = [name for name in _OAUTH if name not in sys.modules]
    for name in absent:
        sys.modules[name] = module = ModuleType(name)
        vars(module).update(dict.fromkeys(_OAUTH[name]))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def _one_at_a_time(write: Callable[..., str]) -> Callable[..., str]:
    """What is called from several threads, and may be called by one only."""
    alone = threading.Lock()

    def written(*content: Any, **where: Any) -> str:
        with alone:
            return write(*content, **where)

    return written


_without_its_init()
with _without_oauth():
    kube_config = import_module("kubernetes.config.kube_config")
# Whoever has the same certificate gets the file's name from it before the certificate is in there.
_WRITES = "_create_temp_file_with_content"
if _WRITES in vars(kube_config):
    vars(kube_config)[_WRITES] = _one_at_a_time(vars(kube_config)[_WRITES])
ApiClient = import_module("kubernetes.client.api_client").ApiClient
ApiException = import_module("kubernetes.client.exceptions").ApiException
Configuration = import_module("kubernetes.client.configuration").Configuration
ConfigException = import_module("kubernetes.config.config_exception").ConfigException
