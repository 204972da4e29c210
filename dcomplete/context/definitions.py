"""What the files of the workspace define, read once per version of a file."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from dcomplete.context.languages import Language, language_of
from dcomplete.context.outline import Definition, definitions
from dcomplete.context.privacy import Privacy
from dcomplete.context.resolve import Target, targets
from dcomplete.context.trees import Parsed, parse

MOST_FILES = 256  # that are remembered
LARGEST = 300_000  # bytes of a file that is parsed for its signatures


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file's definitions, and what it imports: it may hand names on."""

    language: Language
    definitions: tuple[Definition, ...] = ()
    targets: tuple[Target, ...] = ()


class DefinitionCache:
    """Facts by path, thrown away when the file's time or size changes."""

    def __init__(self) -> None:
        self._known: OrderedDict[Path, tuple[tuple[int, int], FileFacts]] = OrderedDict()

    def facts(self, path: Path, privacy: Privacy, most: int) -> FileFacts | None:
        """What the file at `path` defines; None where it may not be read or cannot be."""
        found = privacy.allowed(path)
        if found is None:
            return None
        try:
            status = found.stat()
        except OSError:
            return None
        key = (status.st_mtime_ns, status.st_size)
        known = self._known.get(found)
        if known is None or known[0] != key:
            text = privacy.read(found, min(most, LARGEST))
            if text is None:
                return None
            language = language_of("", found.as_uri())
            known = (key, facts_of(text, language, found, privacy, parse(text, language)))
            self._known[found] = known
            if len(self._known) > MOST_FILES:
                self._known.popitem(last=False)
        self._known.move_to_end(found)
        return known[1]


def facts_of(
    text: str, language: Language, path: Path, privacy: Privacy, parsed: Parsed | None
) -> FileFacts:
    """The facts of a text that stands, or will stand, at `path`."""
    return FileFacts(
        language,
        () if parsed is None else tuple(definitions(parsed)),
        tuple(targets(language.name, text, path, privacy.folders)),
    )
