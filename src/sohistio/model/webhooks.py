"""Istio's admission webhooks as observed: whom each calls, and whether anybody is there to answer. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MUTATING, VALIDATING = "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
INJECTOR, DEFAULT_TAG = "istio-sidecar-injector", "istio-revision-tag-default"
OWN_NAMES = frozenset({INJECTOR, DEFAULT_TAG, "istio-validator-istio-system", "istiod-default-validator"})
"""What istioctl writes for revision default, whatever the labels say by now."""
OWN_PREFIXES = ("istio-sidecar-injector-", "istio-revision-tag-", "istio-validator-")
"""How the names begin of what it writes for other revisions and tags (manifests/charts/istio-control)."""
PARKED = "istio.io/deactivated"
NEVER = {"matchLabels": {PARKED: "never-match"}}
"""The selector with which istioctl parks the injector's own webhooks once the default tag's serve."""
FAIL_AGAIN = "sohistio/fail-again"
"""An annotation on a configuration whose failures sohistio had ignored until an istiod is ready. Only sohistio takes
the failure policy back: istiod does so for validators alone."""


class Reach(StrEnum):
    """Whether a call would get to a pod that is ready. NO_PATH: to one that does not answer there. OUTSIDE: to what no
    Service of this look says anything about. STRANGE: to a URL that none of Istio's installers wrote."""

    READY = "ready"
    NO_POD = "noPod"
    NO_SERVICE = "noService"
    NO_PATH = "noPath"
    OUTSIDE = "outside"
    STRANGE = "strange"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook of a configuration. `fails` where a call that fails refuses what was asked (failurePolicy Fail);
    `service` is the namespace and name it calls, empty for a URL; `parked` where it matches nothing, as istioctl leaves
    the injector's own once the default tag serves; `root` is the SHA-256 of its caBundle, empty without one; `url` the
    beginning of a STRANGE one, which nobody follows.
    """

    name: str
    fails: bool
    service: tuple[str, str] = ("", "")
    reach: Reach = Reach.READY
    parked: bool = False
    root: str = "-"
    url: str = ""

    @property
    def is_dead(self) -> bool:
        """Whether it refuses all it is asked about, because nobody answers."""
        return self.fails and not self.parked and bool(self.why)

    @property
    def is_untrusting(self) -> bool:
        """Whether it refuses all because it has no certificate to check the answer with."""
        return self.fails and not self.parked and not self.root

    @property
    def called(self) -> str:
        """The Service, for people."""
        return "/".join(self.service)

    @property
    def why(self) -> str:
        """What is wrong with whom it calls, as the end of a sentence; empty where nothing is."""
        found = {
            Reach.NO_POD: "which has no ready pod",
            Reach.NO_SERVICE: "which does not exist",
            Reach.NO_PATH: "at a path or port where istiod does not answer",
        }
        return found.get(self.reach, "")


@dataclass(frozen=True, slots=True)
class WebhookConfiguration:
    """A configuration of webhooks of Istio's, of whatever revision; `opened` where it carries FAIL_AGAIN, `misses` why
    it does not inject, or validate, all that it is for (model/injecting_hook.py)."""

    kind: str
    name: str
    revision: str
    hooks: tuple[Hook, ...]
    opened: bool = False
    misses: tuple[str, ...] = ()

    @property
    def refuses(self) -> str:
        """What cannot be done while it is dead."""
        if self.kind == MUTATING:
            return "no pod can be created in the namespaces that it injects"
        return "nobody can change Istio's configuration"


@dataclass(frozen=True, slots=True)
class Webhooks:
    """All of them, and `live`: the name of the Service in the mesh's namespace that leads to a ready istiod of the
    mesh; empty where none does. `unlabelled` are the default tag's objects, by kind, namespace and name, that lost the
    labels by which istioctl knows them (model/default_tag.py). `lacking` names what istioctl makes
    beside the tag and is not found."""

    configurations: tuple[WebhookConfiguration, ...] = ()
    live: str = ""
    unlabelled: tuple[tuple[str, str, str], ...] = ()
    lacking: str = ""
