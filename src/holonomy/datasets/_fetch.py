"""Find a registered file: in the mirror, in the cache, where another package put it, or at its public source.

Every file is checked against its checksum each time, wherever it was found, and never unpickled.
"""

import hashlib
import importlib.util
import os
from pathlib import Path

from holonomy._core.progress import ProgressBar, progress
from holonomy.datasets._registry import DataFile, data_file

MIRROR_VARIABLE = "HOLONOMY_DATA_MIRROR"
CACHE_VARIABLE = "HOLONOMY_DATA"
TIMEOUT = 20.0
"""Seconds that a server may stay silent."""


def cache_folder() -> Path:
    """Return the folder that downloads are kept in: ``HOLONOMY_DATA``, or the user's cache folder."""
    import pooch

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("holonomy"))


def mirror_folder() -> Path | None:
    """Return the folder named by ``HOLONOMY_DATA_MIRROR``, or None if it is not set.

    Raises
    ------
    FileNotFoundError
        If it is set to something that is not a folder.
    """
    chosen = os.environ.get(MIRROR_VARIABLE)
    if not chosen:
        return None
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"{MIRROR_VARIABLE} is set to {chosen!r}, which is not a folder. Correct or unset it.")
    return folder


def find(path: str) -> Path | None:
    """Return where the registered file lies on this machine, or None; nothing is downloaded.

    Raises
    ------
    ValueError
        If the mirror holds the file with another checksum.
    """
    file = data_file(path)
    mirror = mirror_folder()
    if mirror is not None and (mirror / path).is_file():
        found = sha256_of(mirror / path)
        if found != file.sha256:
            raise ValueError(
                f"{mirror / path} is not the registered file: its sha256 is {found}, expected {file.sha256}. "
                f"Replace or remove it, or unset {MIRROR_VARIABLE}."
            )
        return mirror / path
    for place in (cache_folder() / path, _installed(file)):
        if place is not None and place.is_file() and sha256_of(place) == file.sha256:
            return place
    return None


def fetch(path: str) -> Path:
    """Return the registered file on this machine, downloaded if need be.

    Parameters
    ----------
    path : str
        Its place under the mirror and the cache folder, as in the registry.

    Raises
    ------
    ValueError
        If the mirror's file, or what every source sent, has another checksum.
    ConnectionError
        If no source can be reached.
    FileNotFoundError
        If the file has no public source and the mirror does not hold it.
    OSError
        If the folder of downloads cannot be written to.
    """
    found = find(path)
    if found is not None:
        return found
    file = data_file(path)
    if not file.urls:
        raise FileNotFoundError(
            f"{path} has no public download: it was made from {file.origin}. Set {MIRROR_VARIABLE} to a folder that "
            f"holds {path}, with sha256 {file.sha256}."
        )
    failures = []
    for url in file.urls:
        try:
            return _download(url, file)
        except _Refused as refusal:
            failures.append(refusal)
    message = (
        f"{path} could not be had. Tried:\n  " + "\n  ".join(map(str, failures)) + f"\nPut the file there yourself, as "
        f"{cache_folder() / path}, or set {MIRROR_VARIABLE} to a folder that holds {path}. Its sha256 is {file.sha256}."
    )
    if all(failure.is_corrupt for failure in failures):
        raise ValueError(message)
    raise ConnectionError(message) from failures[0].__cause__


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Refused(Exception):
    """One source did not deliver: the URL and why."""

    def __init__(self, url: str, reason: str, is_corrupt: bool = False) -> None:
        super().__init__(f"{url} ({reason})")
        self.is_corrupt = is_corrupt


def _installed(file: DataFile) -> Path | None:
    package, separator, inside = file.installed.rpartition(":")
    if not separator:
        return Path(inside) if inside else None
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent / inside if spec is not None and spec.origin else None


def _download(url: str, file: DataFile) -> Path:
    import pooch
    from requests.exceptions import RequestException

    place = cache_folder() / file.path
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        with progress(f"Downloading {place.name}") as bar:
            downloader = pooch.HTTPDownloader(progressbar=_BarForPooch(bar), chunk_size=2**16, timeout=TIMEOUT)
            pooch.retrieve(url, f"sha256:{file.sha256}", fname=place.name, path=place.parent, downloader=downloader)
    except RequestException as error:
        raise _Refused(url, _reason(error)) from error
    except ValueError as error:  # What pooch raises on a wrong checksum, once it has removed the download.
        raise _Refused(url, "sent a file with another checksum", is_corrupt=True) from error
    except OSError as error:
        raise OSError(f"Cannot keep {place}: {error}. Set {CACHE_VARIABLE} to a folder for downloads.") from error
    finally:
        logger.setLevel(level)
    return place


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    return type(error).__name__ if response is None else f"HTTP status {response.status_code}"


class _BarForPooch:
    """Our progress bar behind the interface that pooch drives."""

    def __init__(self, bar: ProgressBar) -> None:
        self._bar = bar
        self._total = 0
        self._done = 0

    @property
    def total(self) -> int:
        """Bytes to come, 0 where the server does not say."""
        return self._total

    @total.setter
    def total(self, value: int) -> None:
        self._total = value
        self._bar.set(total=value or None)

    def update(self, n: int) -> None:
        """Count ``n`` more bytes."""
        self._done += n
        self._bar.advance(n)

    def reset(self) -> None:
        """Count from zero again: pooch does so at the end, to fill the bar whatever it had counted."""
        self.update(-self._done)

    def close(self) -> None:
        """Nothing: the bar closes with its block."""
