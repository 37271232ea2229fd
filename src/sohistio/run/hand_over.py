"""Hands a static address from one Service to another, and waits for addresses that change."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from sohistio.adapters.kubernetes.gateways import addresses_of
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError, SohistioError
from sohistio.model.state import ObjectRef
from sohistio.plan.gateway_steps import AwaitAddresses, HandOverAddress
from sohistio.run.gone import await_gone
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting

# Azure's controller tries a Service that could not get its address again after 5 s, then less and less often, up to 5
# minutes apart (k8s.io/cloud-provider, controllers/service); one whose annotations change it tries at once.
_NUDGE = "sohistio/address-handed-over"
_NUDGE_SECONDS = 15.0


def hand_over(tools: Tools, waiting: Waiting, step: HandOverAddress) -> None:
    """Delete the giver, wait until it is gone, and until the taker has the address. Raises FailedError.

    One that is gone already, or has the address already, is no error: a run that was killed goes on here.
    """
    tools.api.delete(path_of(step.giver))
    await_gone(waiting, [step.giver], tools.component_seconds)
    nudged: float | None = None
    try:
        with waiting.at_most(tools.component_seconds, f"{step.taker} has not got {step.address}") as limit:
            while not _has_address(tools, step.taker, step.address):
                if limit.passed:
                    raise _not_got(tools, step)
                now = waiting.now()
                if nudged is None or now - nudged > _NUDGE_SECONDS:
                    nudged = now
                    _nudge(tools, step, datetime.now(UTC).isoformat(timespec="seconds"))
                waiting.pause()
    finally:
        if nudged is not None:
            with suppress(SohistioError):  # why the wait ended says more
                _nudge(tools, step, None)


def _not_got(tools: Tools, step: HandOverAddress) -> FailedError:
    place = f"kubectl -n {step.taker.namespace} describe service {step.taker.name}"
    return FailedError(
        f"{step.taker} has not got {step.address} within {tools.component_seconds:.0f} s",
        details=(f"{step.giver}, which had it, is deleted: nobody answers at {step.address}",),
        todo=f"`{place}` shows why; run it again, or `sohistio rollback` brings the old gateway back.",
    )


def await_addresses(tools: Tools, waiting: Waiting, step: AwaitAddresses) -> None:
    """Wait as long as a component may take. What has not come by then is the verification's to say."""
    with waiting.at_most(tools.component_seconds, step.summary) as limit:
        while not all(_has_address(tools, ref, address) for ref, address in step.addresses) and not limit.passed:
            waiting.pause()


def _has_address(tools: Tools, ref: ObjectRef, address: str) -> bool:
    return address in addresses_of(tools.api.get(path_of(ref)) or {})


def _nudge(tools: Tools, step: HandOverAddress, value: str | None) -> None:
    tools.api.merge_patch(path_of(step.taker), {"metadata": {"annotations": {_NUDGE: value}}})
