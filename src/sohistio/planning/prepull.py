"""Plans `sohistio images prepull`: the images of the environment's version on every node, before they are needed."""

from __future__ import annotations

import json
from functools import partial

from sohistio.adapters.kubernetes.observe import observe
from sohistio.images.prepull import DAEMON_SET, daemon_set, lacking_nodes
from sohistio.model.mode import Mode
from sohistio.model.words import first_names
from sohistio.plan.image_steps import PrepullImages
from sohistio.plan.plan import Phase, Plan
from sohistio.planning.images import needed_images
from sohistio.planning.planned import Planned
from sohistio.planning.reads import or_refused, recorded, unreadable
from sohistio.planning.session import Session

_MOST_NAMED = 4


def plan_prepull(session: Session) -> Planned:
    """Look at the nodes and plan. Nodes that name all images already need nothing. Raises RefusedError."""
    state = observe(session.api)
    if state.unreadable:
        raise unreadable(state)
    nodes = or_refused("the nodes could not be read", lambda: session.api.items("/api/v1/nodes"))
    images = [item.image for item in needed_images(session, session.version)]
    lacking = lacking_nodes(nodes, images)
    document = json.dumps(daemon_set(images, session.environment.istio.pull_secret), sort_keys=True)
    summary = f"pull {len(images)} images on every node ({len(lacking)} of {len(nodes)} may lack some)"
    step = PrepullImages("images/prepull", summary, DAEMON_SET, document)
    version = next((item.image_version for item in state.istiods), "")
    plan = Plan(
        environment=session.environment.name,
        cluster=state.server,
        mode=Mode.PREPULL,
        installed_version=version,
        target_version=str(session.version),
        reasons=(f"nodes that may lack images: {first_names(lacking, _MOST_NAMED)}",)
        if lacking
        else ("every node has all images",),
        phases=(Phase("images", (step,)),) if lacking else (),
    )
    return Planned(session, plan, state, partial(plan_prepull, session), recorded(session))
