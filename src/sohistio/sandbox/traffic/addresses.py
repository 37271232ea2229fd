"""The addresses of a sandbox with traffic: ranges of its own, so that several run side by side on one machine.

A pod's address 10.a.b.c is never dialled: it stands for 127.a.b.c, where the pod's program listens.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

NUMBERS = range(16)
"""A sandbox's number chooses its ranges; 0 has those that AKS has by default."""

_PODS = IPv4Network("10.240.0.0/12")  # address_shim.c has it too
_LOOPBACK = IPv4Network("127.0.0.0/8")
_SECOND_OCTETS = 16
_FIRST_PODS = 4  # AKS's default is 10.244.0.0/16: number 0


@dataclass(frozen=True, slots=True)
class Addresses:
    """What sandbox `number` hands out; numbers never share an address."""

    number: int

    @property
    def services(self) -> str:
        """For kube-apiserver's --service-cluster-ip-range."""
        return f"10.{self.number}.0.0/16"

    @property
    def simulated_pods(self) -> str:
        """For kwok's --cidr: the lower half of the pods' range."""
        return f"10.{self._pods_octet}.0.1/17"

    @property
    def pod_range(self) -> str:
        """The range of all pods, for people."""
        return f"10.{self._pods_octet}.0.0/16"

    @property
    def running_pods(self) -> IPv4Network:
        """The upper half: pods whose program runs, with addresses that kwok never hands out."""
        return IPv4Network(f"10.{self._pods_octet}.128.0/17")

    @property
    def balancer_range(self) -> str:
        """All addresses of load balancers; programs that pin one choose it here, above the first two /24."""
        return f"127.{100 + self.number}.0.0/16"

    @property
    def balancers(self) -> tuple[str, ...]:
        """Addresses for LoadBalancer Services that ask for none."""
        return tuple(f"127.{100 + self.number}.0.{host}" for host in range(10, 250))

    @property
    def public_balancers(self) -> tuple[str, ...]:
        """Those that stand for addresses of the internet."""
        return tuple(f"127.{100 + self.number}.1.{host}" for host in range(10, 250))

    @property
    def _pods_octet(self) -> int:
        return 240 + (_FIRST_PODS + self.number) % _SECOND_OCTETS

    def has_running_pod(self, address: str) -> bool:
        """Whether an address is one for pods whose program runs."""
        return bool(address) and IPv4Address(address) in self.running_pods

    def free_pod_address(self, used: Collection[str], last: str = "") -> str:
        """The next address for a pod after `last` that is not used; raises ValueError where all are."""
        network = self.running_pods
        first, size = int(network.network_address), network.num_addresses
        start = int(IPv4Address(last)) - first if last else 0
        for step in range(1, size):
            address = str(IPv4Address(first + (start + step) % size))
            if address not in used and not address.endswith((".0", ".255")):
                return address
        raise ValueError(f"all addresses of {network} are in use")


def loopback_of(pod_address: str) -> str:
    """Where a pod's program listens on this machine; raises ValueError for an address that is no pod's."""
    address = IPv4Address(pod_address)
    if address not in _PODS:
        raise ValueError(f"{pod_address} is not in {_PODS}")
    return str(IPv4Address((int(address) & 0x00FF_FFFF) | int(_LOOPBACK.network_address)))


def on_this_machine(address: str) -> bool:
    """Whether programs here can listen at an address: it is in 127.0.0.0/8."""
    try:
        return IPv4Address(address) in _LOOPBACK
    except ValueError:
        return False
