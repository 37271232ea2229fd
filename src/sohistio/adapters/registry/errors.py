"""What a registry, or the way to it, has against a request."""

from __future__ import annotations

from sohistio.errors import RefusedError


class RegistryError(RefusedError):
    """A registry gives no usable answer: it cannot be reached, is in trouble for too long, or says nonsense."""


class UnusableError(RegistryError):
    """An image that no node could use, or that sohistio does not take. True of this image only."""


class NotLoggedInError(RegistryError):
    """A registry wants a login and there is none, or it rejects the one that there is. True of every image there."""


class DeniedError(RegistryError):
    """A registry does not let this login at one image, or has no such image: some do not tell those apart."""
