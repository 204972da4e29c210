"""Signatures of what the document imports from files of the workspace."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dcomplete.context.addresses import path_of
from dcomplete.context.definitions import FileFacts, facts_of
from dcomplete.context.outline import Definition
from dcomplete.context.resolve import Target, targets
from dcomplete.context.similarity import Words, identifiers, nearby
from dcomplete.context.source import Deadline
from dcomplete.document import Snapshot
from dcomplete.types import Snippet

if TYPE_CHECKING:
    from dcomplete.context.workspace import Workspace

MOST = 6  # snippets, one per file
SIGNATURES = 16  # in one snippet
HOPS = 2  # files that may hand a name on: `from .inner import name`

_MAKERS = frozenset({"__init__", "constructor", "new", "initialize", "init"})


class Imports:
    """Signatures of imported names; those that are named near the gap come first."""

    name = "imports"
    budget_ms = 25.0

    def snippets(
        self, snapshot: Snapshot, workspace: "Workspace", deadline: Deadline
    ) -> list[Snippet]:
        path = path_of(snapshot.uri)
        if path is None or not workspace.privacy.folders:
            return []
        path = path.resolve()
        document = workspace.document(snapshot.uri, snapshot.text, snapshot.language)
        near = identifiers(nearby(snapshot))
        wanted = targets(document.language.name, snapshot.text, path, workspace.privacy.folders)
        wanted.sort(key=lambda target: target.names.isdisjoint(near))
        found: dict[Path, Snippet] = {}
        for target in wanted:
            if deadline.over() or len(found) >= MOST:
                break
            for place, facts in _files(target, workspace, deadline):
                if place == path or place in found:
                    continue
                snippet = _snippet(place, facts, target.names, near, workspace)
                if snippet is not None:
                    found[place] = snippet
        return sorted(found.values(), key=lambda snippet: -snippet.score)


def _files(
    target: Target, workspace: "Workspace", deadline: Deadline
) -> Iterable[tuple[Path, FileFacts]]:
    """The file that `target` means, and those that it hands the wanted names on from."""
    pending = [(target, 0)]
    while pending and not deadline.over():
        target, hops = pending.pop(0)
        for path in target.paths:
            facts = _facts(path, workspace)
            if facts is None:
                continue
            yield path.resolve(), facts
            missing = target.names - {d.name for d in facts.definitions}
            if missing and hops < HOPS:
                pending.extend(
                    (Target(t.paths, t.names & missing), hops + 1)
                    for t in facts.targets
                    if t.names & missing
                )
            break


def _facts(path: Path, workspace: "Workspace") -> FileFacts | None:
    """The facts of a file, as the editor has it where it is open."""
    document = workspace.open_at(path)
    if document is not None and workspace.privacy.allowed(path) is not None:
        return facts_of(document.text, document.language, path, workspace.privacy, document.tree())
    return workspace.definitions.facts(path, workspace.privacy, workspace.settings.max_file_bytes)


def _snippet(
    path: Path, facts: FileFacts, names: frozenset[str], near: Words, workspace: "Workspace"
) -> Snippet | None:
    top = [d for d in facts.definitions if not d.owner and (d.name in names or d.name in near)]
    if not top:
        return None
    top.sort(key=lambda d: d.name not in near)
    lines: list[str] = []
    for definition in top:
        lines.append(definition.shown(facts.language, note=True))
        members = [
            d for d in facts.definitions if d.owner == definition.name and d is not definition
        ]
        members.sort(key=lambda d: _rank(d, near))
        lines.extend("    " + d.shown(facts.language) for d in members[: SIGNATURES // 2])
    score = sum(2.0 if d.name in near else 1.0 for d in top)
    text = "\n".join(list(dict.fromkeys(lines))[:SIGNATURES])
    return Snippet(workspace.privacy.relative(path.as_uri()), text, "imports", score)


def _rank(definition: Definition, near: Words) -> int:
    if definition.name in near:
        return 0
    return 1 if definition.name in _MAKERS else 2 + definition.name.startswith("_")
