"""The key `restarts`: how workloads with an old sidecar are restarted, when, in which order, and which never are."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from sohistio.environments.values import Count, Namespaces, Part, Seconds, SecondsOrNone, Text, matching, once
from sohistio.model.restart_policy import OptOut, RestartPolicy
from sohistio.model.restart_times import Freeze, Window, freeze_of, window_of

_NAMESPACE = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_WORKLOAD = rf"^{_NAMESPACE}(/[a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?)?$"
_VARIABLE = r"\$\{"


def _window(value: object) -> Window:
    return value if isinstance(value, Window) else window_of(value if isinstance(value, str) else "")


def _freeze(value: object) -> Freeze:
    return value if isinstance(value, Freeze) else freeze_of(value if isinstance(value, str) else "")


Windows = Annotated[
    tuple[
        Annotated[
            Window,
            PlainValidator(_window),
            PlainSerializer(lambda window: window.text, return_type=str),
            WithJsonSchema({"type": "string"}),
        ],
        ...,
    ],
    Field(strict=False),
]
Dates = Annotated[
    Freeze,
    PlainValidator(_freeze),
    PlainSerializer(lambda freeze: freeze.text, return_type=str),
    WithJsonSchema({"type": "string"}),
]
Workload = Annotated[
    str,
    AfterValidator(matching(_WORKLOAD, "a namespace, or a workload as namespace/name")),
    WithJsonSchema({"type": "string", "pattern": f"{_WORKLOAD}|{_VARIABLE}"}),
]


class FrozenDays(Part):
    """Days on which nothing is restarted."""

    dates: Dates = Field(description="First and last day and their time zone: 2026-12-20..2027-01-06 Europe/Berlin")
    reason: Text = Field(description="Why; it is said of each workload that is left alone")


class NeverRestarted(Part):
    """A workload, or a namespace, whose restarts are somebody else's."""

    name: Workload = Field(description="Its namespace, or namespace/name")
    reason: Text = Field(description="Why; it is said of each workload that is left alone")


class Order(Part):
    """What is restarted first; a stage that fails ends the run."""

    canary: Annotated[tuple[Workload, ...], Field(strict=False), AfterValidator(once)] = Field(
        (), description="Namespaces, or workloads as namespace/name, that are restarted before all others"
    )
    namespaces: Namespaces = Field((), description="Namespaces that come next, one after the other")


class Restarts(Part):
    """How workloads with an old sidecar are restarted (docs/restarts.md)."""

    parallel: Count = Field(description="Workloads restarted at once")
    max_failures: Count = Field(description="Failures after which no further workload is restarted")
    timeout_seconds: Seconds = Field(alias="timeout", description="For each workload")
    proxies_per_second: Count = Field(
        10, description="New sidecars a second for each ready istiod; the next workload waits for them"
    )
    jobs_seconds: SecondsOrNone = Field(
        60,
        alias="awaitJobs",
        description="How long a restart waits for running Jobs with an old sidecar; 0s: they are only listed",
    )
    windows: Windows = Field(
        (), description="When restarts may begin, such as Sat-Sun 02:00-04:00 Europe/Berlin; at any time without"
    )
    freezes: Annotated[tuple[FrozenDays, ...], Field(strict=False)] = Field((), description="Days on which none begins")
    opt_out: Annotated[tuple[NeverRestarted, ...], Field(strict=False)] = Field(
        (), description="Workloads that are never restarted"
    )
    order: Order = Field(Order(), description="What is restarted first")
    also_injected: bool = Field(
        True,
        description="Whether workloads are restarted that ask for a sidecar by a label of their own, or by a revision "
        "tag, in namespaces that applicationNamespaces does not list",
    )

    def policy(self, application_namespaces: tuple[str, ...]) -> RestartPolicy:
        """As plain data."""
        return RestartPolicy(
            windows=self.windows,
            freezes=tuple(freeze_of(item.dates.text, item.reason) for item in self.freezes),
            opted_out=tuple(OptOut(item.name, item.reason) for item in self.opt_out),
            canary=self.order.canary,
            namespaces=self.order.namespaces,
            also_injected=self.also_injected,
            application_namespaces=frozenset(application_namespaces),
        )
