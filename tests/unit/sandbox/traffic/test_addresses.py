"""The ranges of sandboxes with traffic: never shared, and nothing but loopback is dialled."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from sohistio.errors import RefusedError
from sohistio.sandbox.traffic.addresses import NUMBERS, Addresses, loopback_of, on_this_machine
from sohistio.sandbox.traffic.claims import claim

FIRST = Addresses(0)


def test_the_first_has_the_ranges_of_aks() -> None:
    assert (FIRST.services, FIRST.pod_range) == ("10.0.0.0/16", "10.244.0.0/16")
    assert FIRST.balancers[0] == "127.100.0.10"


def test_no_two_share_an_address() -> None:
    ranges = [
        IPv4Network(text) for number in NUMBERS for text in (Addresses(number).services, Addresses(number).pod_range)
    ]
    assert all(not one.overlaps(other) for one in ranges for other in ranges if one is not other)
    balancers = [
        address for number in NUMBERS for address in (*Addresses(number).balancers, *Addresses(number).public_balancers)
    ]
    assert len(balancers) == len(set(balancers))
    assert all(on_this_machine(address) for address in balancers)
    # where pods listen is no load balancer's address either
    pods = {IPv4Network(Addresses(number).pod_range).network_address for number in NUMBERS}
    assert not {loopback_of(str(address)).split(".")[1] for address in pods} & {
        text.split(".")[1] for text in balancers
    }


def test_pods_that_run_have_addresses_that_kwok_never_hands_out() -> None:
    for number in NUMBERS:
        ranges = Addresses(number)
        simulated = IPv4Interface(ranges.simulated_pods).network
        assert not simulated.overlaps(ranges.running_pods)
        assert IPv4Network(ranges.pod_range).supernet_of(ranges.running_pods)


def test_addresses_of_pods_go_round() -> None:
    first = FIRST.free_pod_address(())
    assert first == "10.244.128.1"
    assert FIRST.free_pod_address({"10.244.128.2"}, first) == "10.244.128.3"
    assert FIRST.free_pod_address((), "10.244.128.254") == "10.244.129.1"
    assert FIRST.free_pod_address((), "10.244.255.254") == "10.244.128.1"
    assert FIRST.has_running_pod(first)
    assert not FIRST.has_running_pod("10.244.0.1")
    assert not FIRST.has_running_pod("")


@pytest.mark.parametrize(
    ("pod", "loopback"),
    [("10.244.128.7", "127.244.128.7"), ("10.240.0.1", "127.240.0.1"), ("10.255.1.2", "127.255.1.2")],
)
def test_a_pods_address_on_this_machine(pod: str, loopback: str) -> None:
    assert loopback_of(pod) == loopback
    assert IPv4Address(loopback).is_loopback


@pytest.mark.parametrize("address", ["10.239.255.255", "11.244.0.1", "127.244.0.1", "10.0.0.1", "name", ""])
def test_what_is_no_pods_address_has_none(address: str) -> None:
    with pytest.raises(ValueError, match=address or "empty|Address"):
        loopback_of(address)


def test_a_number_is_claimed_once_and_freed() -> None:
    """The test's own claims may not be the only ones on this machine."""
    number, held = claim()
    with held, pytest.raises(RefusedError) as refused:
        claim(number)
    assert f"number {number}" in refused.value.what
    again, held = claim(number)
    held.close()
    assert again == number
