"""One login at Azure and the one cluster it is for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from sohistio.adapters.azure.cloud import endpoints
from sohistio.adapters.azure.credential import make_credential
from sohistio.adapters.azure.errors import in_our_words
from sohistio.adapters.azure.login import WORDS, Login, choose
from sohistio.adapters.azure.managed import access_of, arm_client, read_cluster
from sohistio.adapters.azure.tokens import AKS_SCOPE, ClusterTokens, Token
from sohistio.errors import RefusedError
from sohistio.model.auth import Auth
from sohistio.model.managed_cluster import AksPlace, ClusterAccess, ManagedCluster
from sohistio.model.vcpu_quota import Usage
from sohistio.system.lazy import lazy


class AzureLogin:
    """A login; nothing is asked before it is needed. Raises UsageError, RefusedError for one that cannot be."""

    def __init__(self, login: Login, say: Callable[[str], None] = lambda _: None) -> None:
        self.where = endpoints(login.cloud, os.environ)
        choice = choose(login.auth, os.environ)
        self.auth: Auth = choice.auth
        self.login = login
        if choice.notice:
            say(choice.notice)
        say(f"Azure: {WORDS[choice.auth]}")

    @lazy
    def tokens(self) -> ClusterTokens:
        """Tokens for the API server."""
        return ClusterTokens(self.cluster_token, self.credential)

    def credential(self) -> Any:
        """A new credential, with a cache of its own."""
        with in_our_words("the login", self.auth, self.where):
            return make_credential(self.login, self.auth, self.where)

    def cluster_token(self, credential: Any) -> Token:
        """A token for the API servers of AKS. Raises RefusedError."""
        with in_our_words("a token for the API server", self.auth, self.where):
            found = credential.get_token(AKS_SCOPE)
        return Token(found.token, float(found.expires_on))


class AksCluster:
    """The cluster at a place, through a login. Every answer is asked for once. All of it raises RefusedError."""

    def __init__(self, place: AksPlace, auth: Auth, say: Callable[[str], None]) -> None:
        self.place = place
        self.azure = AzureLogin(Login.to(place, auth), say)

    @lazy
    def managed(self) -> ManagedCluster:
        """What Azure tells of it."""
        return read_cluster(self._client, self.place, self._in_our_words)

    def look_again(self) -> None:
        """Have `managed` asked for anew where it is needed next."""
        self.__dict__.pop("managed", None)

    @lazy
    def access(self) -> ClusterAccess:
        """Its API server. A cluster that does not run is reported as such: there is none to reach."""
        if self.managed.power and self.managed.power != "Running":
            raise RefusedError(
                f"the AKS cluster {self.place.name} is {self.managed.power.lower()}",
                details=(f"Azure: power state {self.managed.power}, provisioning {self.managed.provisioning}",),
                todo=f"Start it: `az aks start --resource-group {self.place.resource_group} --name {self.place.name}`.",
            )
        return access_of(self._client, self.place, self._in_our_words)

    def pinned(self) -> Login:
        """The login as it was chosen, for `sohistio aks-token`: the same one is used all through a run."""
        asked = self.azure.login
        return Login(self.azure.auth, asked.tenant, asked.subscription, asked.cloud)

    def address_is_free(self, address: str) -> bool | None:
        """Whether no one has the address in the virtual network of its pools; None where that cannot be known."""
        from sohistio.adapters.azure.addresses import address_is_free

        return address_is_free(self._client, self.managed.subnets, address)

    def vcpu_usages(self) -> Mapping[str, Usage]:
        """The vCPUs used and allowed in the cluster's region, by the usage's name in lower case."""
        from sohistio.adapters.azure.quota import read_usages

        where, location = self.azure.where, self.managed.location
        with in_our_words(f"the vCPU quota of {location or 'its region'}", self.azure.auth, where):
            return read_usages(self._client, self.place.subscription, location, where.resource_manager)

    @lazy
    def _client(self) -> Any:
        return arm_client(self.azure.credential(), self.place, self.azure.where)

    def _in_our_words(self) -> Any:
        return in_our_words(f"the AKS cluster {self.place}", self.azure.auth, self.azure.where)
