"""Whose an Ingress is. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sohistio.policy.running import RawObject

_CLASS, _CONTROLLER = "istio", "istio.io/ingress-controller"
_ANNOTATION = "kubernetes.io/ingress.class"


def class_of(ingress: RawObject) -> str:
    """Its class, by the field or by the annotation that came before it; empty where it has none."""
    annotations = ingress["metadata"].get("annotations") or {}
    return str((ingress.get("spec") or {}).get("ingressClassName") or annotations.get(_ANNOTATION, ""))


def is_served_by_istio(ingress: RawObject, controllers: Mapping[str, str]) -> bool:
    """Whether Istio's gateway serves it (istio.io, "Kubernetes Ingress"); `controllers` are by class."""
    name = class_of(ingress)
    return name == _CLASS or controllers.get(name) == _CONTROLLER
