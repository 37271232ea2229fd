"""`sohistio explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Form


@examples(
    "sohistio explain                  # what can be explained",
    "sohistio explain gateway-address  # a check",
    "sohistio explain 3                # an exit code",
    "sohistio explain docs/aks.md      # a page in short",
)
def explain(
    form: Form,
    name: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="A check, an exit code, an alert, words of an error, or a page."),
    ] = None,
) -> None:
    """Say what a check, an error, an exit code or an alert means.

    From the documentation that comes with sohistio. Without a name it lists what can be explained.
    """
    from sohistio.errors import UsageError
    from sohistio.explanations.find import find
    from sohistio.explanations.shipped import shipped_documents
    from sohistio.explanations.topics import PLACES, topics_of
    from sohistio.output.documents import print_answer
    from sohistio.output.explanation import show_list, show_topics, topic_document

    query = " ".join(name or ())
    if name and not query.strip():
        raise UsageError("the name is empty", todo="Leave it out, and `sohistio explain` lists what can be explained.")
    topics = topics_of(shipped_documents())
    found = find(topics, query) if query else tuple(topic for topic in topics if topic.kind not in PLACES)
    if form.json:
        print_answer("Explanation", {"name": query or None, "topics": [topic_document(topic) for topic in found]})
    elif query:
        show_topics(found)
    else:
        show_list(found)
