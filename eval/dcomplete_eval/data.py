"""Where evaluation data lie, what they are to the last bit, and how a user gets them."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dcomplete.errors import UserError
from dcomplete.models.store import path_of

if TYPE_CHECKING:
    import httpx

VARIABLE = "DCOMPLETE_EVALDATA"
_CHUNK = 1 << 16
_PATIENCE = 20.0  # seconds without a byte
_GITHUB = "https://raw.githubusercontent.com"
_INFILLING = f"{_GITHUB}/openai/human-eval-infilling/88062ff9859c875d04db115b698ed4b0f0395170"
_HUMANEVAL = f"{_GITHUB}/openai/human-eval/6d43fb980f9fee3c892a914eda09951f772ad10d"
_TRACES = (
    f"{_GITHUB}/josephg/editing-traces/762fa6c51605c88a05ebe5c4b9d4540caca30b97"
    "/sequential_traces/ascii_only"
)


@dataclass(frozen=True, slots=True)
class Item:
    """A public file. `path` is below the data folder, with `/`."""

    path: str
    url: str
    sha256: str
    bytes: int

    @property
    def set(self) -> str:
        """What it belongs to: the folder's name."""
        return self.path.split("/", maxsplit=1)[0]


def _infilling(name: str, sha256: str, size: int) -> Item:
    return Item(f"human-eval-infilling/{name}", f"{_INFILLING}/data/{name}", sha256, size)


def _trace(name: str, sha256: str, size: int) -> Item:
    return Item(f"editing-traces/{name}", f"{_TRACES}/{name}", sha256, size)


ITEMS: tuple[Item, ...] = (
    _infilling(
        "HumanEval-SingleLineInfilling.jsonl.gz",
        "1277073e7ddce163ef68598c2bca777f688a53df99422f097e37362090f88e1f", 75_058,
    ),
    _infilling(
        "HumanEval-MultiLineInfilling.jsonl.gz",
        "2f341612eee1d35da1357a4f365e0c0b3ba6e2b62eb491e88aaefa4855af0349", 170_082,
    ),
    _infilling(
        "HumanEval-RandomSpanInfilling.jsonl.gz",
        "b4f330d8a8ff97bf85d9def497dffcae4d741e506449386a877236e422e33e8d", 89_591,
    ),
    _infilling(
        "HumanEval-RandomSpanInfillingLight.jsonl.gz",
        "1432250ecac0cb56e6f97f8faf0970419ef892a98fda7e1f5aa4c4b87209b760", 45_730,
    ),
    _infilling(
        "example_problem.jsonl",
        "f066a37097c9bc7fb19a8bcb736cbfbc19e42cb0597766066e75ec6b1187ee9c", 192,
    ),
    _infilling(
        "example_samples.jsonl",
        "2027662d6b42135bc862c277b061123ff30edf1982eb82d61fc02a0d058417f1", 656,
    ),
    Item(
        "human-eval-infilling/LICENSE", f"{_INFILLING}/LICENSE",
        "bcba3de214851cce46ed5af42d6698044616eeace887c3231bc7a20474ab639e", 1_083,
    ),
    Item(
        "human-eval/HumanEval.jsonl.gz", f"{_HUMANEVAL}/data/HumanEval.jsonl.gz",
        "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef", 44_877,
    ),
    Item(
        "human-eval/LICENSE", f"{_HUMANEVAL}/LICENSE",
        "bcba3de214851cce46ed5af42d6698044616eeace887c3231bc7a20474ab639e", 1_083,
    ),
    _trace(
        "json-crdt-patch.json.gz",
        "0f3f468b7cafc7448f03ac7cb42db813163729006b49e4da059cda29576b2baa", 191_835,
    ),
    _trace(
        "rustcode.json.gz",
        "8c437698b099d9dcb322165026e02761495a80fec04adf783afac61b08be5e85", 361_073,
    ),
    _trace(
        "seph-blog1.json.gz",
        "3a9967515e1dce748103b623512629f7d25a9a8bd362e465b9520aec750c536f", 733_684,
    ),
    _trace(
        "sveltecomponent.json.gz",
        "0393353a1ff0281f4a2adad080b0843bffa7988f9a4869ed04faf0984f78a234", 137_864,
    ),
)  # fmt: skip
"""MIT: human-eval-infilling, human-eval. CC BY 4.0: editing-traces (Joseph Gentle; json-crdt-patch by
Vadim Dalecky). For evaluation only: training leaves them out."""


def folder(said: Path | None = None) -> Path:
    """The data folder: `said`, the variable's, one beside here, or else the user's own."""
    told = said or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if told:
        return path_of(str(told))
    checkout = Path(__file__).parents[2]
    for near in (Path("evaldata"), checkout.parent / "shared" / "evaldata"):
        if near.is_dir():
            return near
    return own_folder()


def own_folder() -> Path:
    """Where a download goes unless told otherwise."""
    import platformdirs

    return platformdirs.user_data_path("dcomplete") / "evaldata"


def sha256(path: Path) -> str:
    """A file's checksum, "" where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def missing(place: Path, items: Iterable[Item] | None = None) -> list[Item]:
    """Those, of all unless told, that are absent or are not what they should be."""
    wanted = ITEMS if items is None else items
    return [item for item in wanted if sha256(place / item.path) != item.sha256]


def choose(sets: Sequence[str]) -> list[Item]:
    """The files of these sets, all where none is named. Raises UserError for unknown names."""
    known = list(dict.fromkeys(item.set for item in ITEMS))
    for name in sets:
        if name not in known:
            raise UserError(f"Unknown set {name!r}. Known: {', '.join(known)}.")
    return [item for item in ITEMS if not sets or item.set in sets]


def pull(place: Path, items: Sequence[Item], told: Callable[[int], None]) -> list[Item]:
    """Download what is missing into `place`; `told` hears of every so many bytes.

    Returns what was fetched. A file is there whole and right, or not at all. Raises UserError where
    the network or the disk refuses, or where a file is not what it should be.
    """
    import httpx

    fetched = []
    try:
        with httpx.Client(timeout=_PATIENCE, headers={"Accept-Encoding": "identity"}) as client:
            for item in missing(place, items):
                _fetch(client, item, place / item.path, told)
                fetched.append(item)
    except httpx.HTTPStatusError as error:
        raise UserError(
            f"{error.request.url} cannot be had (status {error.response.status_code})."
        ) from error
    except httpx.HTTPError as error:
        raise UserError(
            f"{item.url} cannot be reached ({error or type(error).__name__}); offline, put the "
            f"file at {place / item.path} by hand, or name a folder that has it in {VARIABLE}."
        ) from error
    except OSError as error:
        raise UserError(f"{place} cannot be written: {error.strerror}.") from error
    return fetched


def _fetch(client: "httpx.Client", item: Item, path: Path, told: Callable[[int], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    found, size = hashlib.sha256(), 0
    try:
        with client.stream("GET", item.url) as response, partial.open("wb") as file:
            response.raise_for_status()
            for chunk in response.iter_bytes(_CHUNK):
                size += len(chunk)
                if size > item.bytes:
                    break
                found.update(chunk)
                file.write(chunk)
                told(len(chunk))
        if size != item.bytes or found.hexdigest() != item.sha256:
            raise UserError(f"What {item.url} sends is not the file that it was; nothing is kept.")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
