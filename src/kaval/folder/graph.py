"""The graph of persons and conversations: who is a contact, who is in which group, who wrote to and called whom.

A person is an identifier as stored; two identifiers are never taken for one person. The device's owner is one node, for
every message and call that applications mark as outgoing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

OWNER = "owner of the device"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ROWS_AT_ONCE = 2048


@dataclass(kw_only=True)
class Node:
    """A person, the owner or a conversation."""

    kind: str
    identifier: str
    name: str = ""
    applications: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Edge:
    """What joins two nodes, added up: ``count`` messages, calls or records, ``recovered`` of them no longer live."""

    kind: str
    source: str
    target: str
    role: str = ""
    count: int = 0
    recovered: int = 0
    seconds: int = 0
    first: str = ""
    last: str = ""


class Graph:
    """The graph of one examination."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str, str, str], Edge] = {}

    def person(self, identifier: str | None, application: str, name: str | None = None) -> str:
        """Return the key of a person's node, made if need be; of the owner where no identifier is given."""
        if identifier is None:
            return self._node("owner", OWNER, application, "")
        return self._node("person", identifier, application, name or "")

    def conversation(self, identifier: str, application: str, title: str | None = None) -> str:
        """Return the key of a conversation's node, made if need be."""
        return self._node("conversation", identifier, application, title or "")

    def _node(self, kind: str, identifier: str, application: str, name: str) -> str:
        key = f"{kind} {identifier}"
        node = self.nodes.setdefault(key, Node(kind=kind, identifier=identifier))
        node.applications.add(application)
        node.name = node.name or name
        return key

    def join(self, kind: str, source: str, target: str, *, role: str = "", **added: Any) -> None:
        """Add to what joins two nodes; ``added`` are counts, seconds and the first and last time."""
        edge = self.edges.setdefault(
            (kind, source, target, role), Edge(kind=kind, source=source, target=target, role=role)
        )
        edge.count += added.get("count", 0)
        edge.recovered += added.get("recovered", 0)
        edge.seconds += added.get("seconds", 0) or 0
        first, last = added.get("first") or "", added.get("last") or ""
        edge.first = min(filter(None, (edge.first, first)), default="")
        edge.last = max(edge.last, last)


def build_graph(connection: Any) -> Graph:
    """Return the graph of an examination's artefacts."""
    graph = Graph()
    _contacts(graph, connection)
    groups = _members(graph, connection)
    _messages(graph, connection, groups)
    _calls(graph, connection)
    return graph


def _rows(connection: Any, question: str) -> Iterator[tuple[Any, ...]]:
    answer = connection.execute(question)
    while rows := answer.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def _contacts(graph: Graph, connection: Any) -> None:
    question = """
        SELECT application, identifier, any_value(who_name), count(*), count(*) FILTER (recovered)
        FROM (SELECT application, unnest(identifiers) AS identifier, who_name, recovered FROM contacts)
        GROUP BY ALL ORDER BY ALL
        """
    for application, identifier, name, count, recovered in _rows(connection, question):
        person = graph.person(identifier, application, name)
        graph.join("contact", graph.person(None, application), person, count=count, recovered=recovered)


def _members(graph: Graph, connection: Any) -> set[tuple[str, str]]:
    """Add memberships and return the groups, by application and identifier."""
    groups = set()
    question = """
        SELECT application, conversation, any_value(conversation_title), who, any_value(who_name), coalesce(role, ''),
               count(*), count(*) FILTER (recovered), CAST(min(happened_at) AS VARCHAR),
               CAST(max(happened_at) AS VARCHAR)
        FROM members WHERE conversation IS NOT NULL AND who IS NOT NULL GROUP BY ALL ORDER BY ALL
        """
    for application, conversation, title, who, name, role, *told in _rows(connection, question):
        count, recovered, first, last = told
        groups.add((application, conversation))
        source, target = graph.person(who, application, name), graph.conversation(conversation, application, title)
        graph.join("member", source, target, role=role, count=count, recovered=recovered, first=first, last=last)
    return groups


def _messages(graph: Graph, connection: Any, groups: set[tuple[str, str]]) -> None:
    question = """
        SELECT application, conversation, any_value(conversation_title), direction,
               CASE WHEN direction = 'outgoing' OR who = account THEN NULL ELSE who END AS sender, any_value(who_name),
               whom, count(*), count(*) FILTER (recovered), CAST(min(happened_at) AS VARCHAR),
               CAST(max(happened_at) AS VARCHAR)
        FROM messages GROUP BY ALL ORDER BY ALL
        """
    for application, conversation, title, direction, sender, name, whom, *told in _rows(connection, question):
        if direction is None and sender is None:
            continue
        source = graph.person(sender, application, name)
        for target in _targets(graph, application, conversation, title, direction, whom, groups):
            if target != source:
                count, recovered, first, last = told
                graph.join("wrote", source, target, count=count, recovered=recovered, first=first, last=last)


def _targets(
    graph: Graph,
    application: str,
    conversation: str | None,
    title: str | None,
    direction: str | None,
    whom: list[str] | None,
    groups: set[tuple[str, str]],
) -> Iterator[str]:
    """Yield to whom messages went: the group, those named, or the owner."""
    if conversation is not None and (application, conversation) in groups:
        yield graph.conversation(conversation, application, title)
    elif direction == "outgoing":
        for identifier in whom or ([conversation] if conversation else []):
            yield graph.person(identifier, application)
    else:
        yield graph.person(None, application)


def _calls(graph: Graph, connection: Any) -> None:
    question = """
        SELECT application, direction, who, any_value(who_name), whom, count(*), count(*) FILTER (recovered),
               sum(coalesce(duration_s, 0)), CAST(min(happened_at) AS VARCHAR), CAST(max(happened_at) AS VARCHAR)
        FROM calls WHERE direction IS NOT NULL GROUP BY ALL ORDER BY ALL
        """
    for application, direction, who, name, whom, count, recovered, seconds, first, last in _rows(connection, question):
        owner = graph.person(None, application)
        others = [who] if direction == "incoming" else list(whom or [])
        for other in filter(None, others):
            person = graph.person(other, application, name if direction == "incoming" else None)
            ends = (person, owner) if direction == "incoming" else (owner, person)
            graph.join("called", *ends, count=count, recovered=recovered, seconds=int(seconds), first=first, last=last)


_NODE_KEYS = ("kind", "identifier", "name", "applications")
_EDGE_KEYS = (
    ("kind", "string"), ("role", "string"), ("count", "long"), ("recovered", "long"), ("seconds", "long"),
    ("first", "string"), ("last", "string"),
)  # fmt: skip


def graphml(graph: Graph) -> Iterator[str]:
    """Yield a graph as lines of GraphML 1.0, ordered by its keys."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for name in _NODE_KEYS:
        yield f'  <key id="n_{name}" for="node" attr.name="{name}" attr.type="string"/>'
    for name, kind in _EDGE_KEYS:
        yield f'  <key id="e_{name}" for="edge" attr.name="{name}" attr.type="{kind}"/>'
    yield '  <graph id="examination" edgedefault="directed">'
    numbers = {key: f"n{number}" for number, key in enumerate(sorted(graph.nodes))}
    for key, number in numbers.items():
        node = graph.nodes[key]
        values = (node.kind, node.identifier, node.name, ", ".join(sorted(node.applications)))
        yield f"    <node id={quoteattr(number)}>{_data('n', _NODE_KEYS, values)}</node>"
    names = tuple(name for name, _ in _EDGE_KEYS)
    for place, ends_of in enumerate(sorted(graph.edges)):
        edge = graph.edges[ends_of]
        told = tuple(str(getattr(edge, name)) for name in names)
        ends = f'source="{numbers[edge.source]}" target="{numbers[edge.target]}"'
        yield f'    <edge id="e{place}" {ends}>{_data("e", names, told)}</edge>'
    yield "  </graph>"
    yield "</graphml>"


def _data(prefix: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return the data elements of values that are there; what XML cannot hold stands as U+FFFD."""
    parts = []
    for name, value in zip(names, values, strict=True):
        if value:
            parts.append(f'<data key="{prefix}_{name}">{escape(_NOT_IN_XML.sub(chr(0xFFFD), value))}</data>')
    return "".join(parts)
