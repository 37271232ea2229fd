"""What the answer to a dry run of a new pod says of real ones, where it was no pod. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from sohistio.model.quantity import quantity

_WEBHOOKS = "mutatingwebhookconfigurations,validatingwebhookconfigurations"
# As the API server writes them (apiserver/pkg/admission/plugin/webhook/errors, plugin/resourcequota).
_FAILED = re.compile(r'failed calling webhook "([^"]+)": (.*)', re.DOTALL)
_QUOTA = re.compile(r"exceeded quota: (.*?), requested: .*?, used: (.*?), limited: (.*)", re.DOTALL)
_DENIED = re.compile(r'admission webhook "([^"]+)" denied the request(?:: (.*))?', re.DOTALL)
_COUNTS = ("pods", "count/pods")
_FORBIDDEN = 403
_OF_ISTIO = ".istio.io"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there was no new pod. A `real` one would be refused too; `of_all`: so would every other of the namespace.

    `makes_room` where a real one is refused only as long as an old one is there; `is_full` where it is a quota of which
    no more is used than there is: whatever goes makes room for as much. `known` where somebody's doing is
    the cause, and not an API server in trouble. `of_istio` where one of Istio's own webhooks failed: a run mends those.
    `said` are the API server's own words, where somebody asks for them.
    """

    words: str
    real: bool = False
    of_all: bool = True
    makes_room: bool = False
    known: bool = True
    of_istio: bool = False
    is_full: bool = False
    said: str = field(default="", compare=False)

    def stops(self, takes_down: int) -> bool:
        """Whether it stops a restart that takes so many old pods down before new ones are there."""
        return self.real and not (self.makes_room and takes_down)

    def stops_alike(self, takes_down: int) -> bool:
        """As `stops`, where new pods ask for no more than the old ones, as those of the mesh do."""
        return self.stops(takes_down) and not (self.is_full and takes_down)


_PLAIN = (
    (
        "cannot create resource",
        Refusal("the right to create pods is missing, which a dry run needs (rbac/installer.yaml)"),
    ),
    ("dry run", Refusal("an admission webhook takes no dry runs")),
    ("violates PodSecurity", Refusal("Pod Security refuses such a pod", real=True, of_all=False)),
)


def refusal_of(status: int, text: str) -> Refusal:
    """Read the API server's words; `status` is that of HTTP, 0 without an answer."""
    if found := _FAILED.search(text):
        name, why = found.groups()
        words = f"the admission webhook {name} fails, so no pod can start there ({why}): see `kubectl get {_WEBHOOKS}`"
        return Refusal(words, real=True, known=False, of_istio=name.endswith(_OF_ISTIO))
    if found := _QUOTA.search(text):
        name, used, limited = found.groups()
        words, is_full = f"the quota {name} leaves no room for a pod", _is_full(used, limited)
        makes_room = is_full and all(counted in _COUNTS for counted in _amounts(used))
        return Refusal(words, real=True, of_all=False, makes_room=makes_room, is_full=is_full)
    if found := _DENIED.search(text):
        name, why = found.groups()
        return Refusal(f"the admission webhook {name} refuses such a pod ({why or 'no reason given'})", True, False)
    if plain := next((refusal for words, refusal in _PLAIN if words in text), None):
        return plain
    real = status == _FORBIDDEN or "denied request" in text  # the latter is a ValidatingAdmissionPolicy's
    return Refusal(f"such a pod is refused ({plainly(text)})" if real else text, real, of_all=not real, known=real)


def plainly(text: str) -> str:
    """The API server's words without what comes before, which names a pod that nobody knows."""
    return text.partition("is forbidden: ")[2] or text


def _is_full(used: str, limited: str) -> bool:
    """Whether there is no more than it may have; of pods alone, one that goes makes room for whatever comes."""
    most = _amounts(limited)
    return all(
        amount is not None and (limit := most.get(name)) is not None and amount <= limit
        for name, amount in _amounts(used).items()
    )


def _amounts(text: str) -> dict[str, Decimal | None]:
    """`pods=5,limits.cpu=2` by their names."""
    parts = (part.strip().partition("=") for part in text.split(","))
    return {name: quantity(value) for name, _, value in parts}
