"""What a run amounts to. Plain data."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """The first five are decided from the cluster, the others are what a command of their own asks for."""

    UNKNOWN = "unknown"
    INSTALL = "install"
    UPGRADE = "upgrade"
    REINSTALL = "reinstall"
    NONE = "none"
    RESTART = "restart"
    ROLLBACK = "rollback"
    UNINSTALL = "uninstall"
    ADOPT = "adopt"
    RESTORE = "restore"
    FAILOVER = "failover"
    FAILBACK = "failback"
    REHEARSE = "rehearse"
    SYNC = "sync"
    PREPULL = "prepull"
    NAMESPACES = "namespaces"

    @classmethod
    def of(cls, text: str) -> Mode:
        """A mode by its name; UNKNOWN for one that a newer sohistio may have."""
        return cls(text) if text in cls._value2member_map_ else cls.UNKNOWN

    @property
    def is_about_the_mesh(self) -> bool:
        """Whether a run of this mode says what became of the mesh; a restart of workloads, say, does not."""
        others = (Mode.RESTART, Mode.RESTORE, Mode.ADOPT, Mode.SYNC, Mode.PREPULL, Mode.NAMESPACES)
        return self not in others and not self.is_about_traffic

    @property
    def is_about_traffic(self) -> bool:
        """Whether it moves traffic between an environment and its standby, or rehearses that."""
        return self in (Mode.FAILOVER, Mode.FAILBACK, Mode.REHEARSE)

    @property
    def leaves_configuration(self) -> bool:
        """Whether it touches none of Istio's custom resources: then they are not compared before and after."""
        return self is Mode.NAMESPACES or self.is_about_traffic

    @property
    def installs(self) -> bool:
        """Whether it puts the environment's own manifest there."""
        return self in (Mode.INSTALL, Mode.UPGRADE, Mode.REINSTALL)
