"""Line ends of a client's text: models know only ``\\n``, and an answer has those of its document."""

from dataclasses import replace

from dcomplete import document
from dcomplete.dialects.asked import Asked, File, Gap, Piece
from dcomplete.document import Document


def as_models_know_it(asked: Asked) -> Asked:
    """The request with ``\\n`` line ends and no byte order mark."""
    prefix, _, suffix = _document(asked.gap).for_model()
    files = tuple(File(file.path, _plain(file.text)) for file in asked.gap.files)
    stops = tuple(map(_plain, asked.stops))
    return replace(asked, gap=Gap(prefix, suffix, files), stops=stops)


def localized(piece: Piece, asked: Asked) -> Piece:
    """A piece with the line ends that the client's text uses most."""
    theirs = _document(asked.gap)
    text, stop = theirs.localize(piece.text), theirs.localize(piece.stop)
    return replace(piece, text=text, stop=stop)


def _document(gap: Gap) -> Document:
    place = len(gap.prefix)
    return Document(gap.prefix + gap.suffix, (document.Gap(place, place),))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")
