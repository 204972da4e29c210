"""Line ends of a client's text: models know only ``\\n``, and an answer has those of its document."""

from dataclasses import replace

from dcomplete.dialects.asked import Asked, File, Gap, Piece
from dcomplete.document import BOM, Document


def as_models_know_it(asked: Asked) -> Asked:
    """The request with ``\\n`` line ends and no byte order mark."""
    gap = asked.gap
    files = tuple(File(file.path, _plain(file.text)) for file in gap.files)
    prefix = _plain(gap.prefix).removeprefix(BOM)
    stops = tuple(map(_plain, asked.stops))
    return replace(asked, gap=Gap(prefix, _plain(gap.suffix), files), stops=stops)


def localized(piece: Piece, asked: Asked) -> Piece:
    """A piece with the line ends that the client's text uses most."""
    document = Document(asked.gap.prefix + asked.gap.suffix, ())
    text, stop = document.localize(piece.text), document.localize(piece.stop)
    return replace(piece, text=text, stop=stop)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")
