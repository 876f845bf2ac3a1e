"""The name under which a file is stored: GLPI judges files by the ending of their name."""

from __future__ import annotations

import mimetypes
import re
from email.message import Message as Headers
from pathlib import PurePosixPath
from typing import Final

#: A letter must be in it: what follows the last dot of 'Invoice v1.2' is no ending.
_ENDING = re.compile(r"\.(?=\w*[A-Za-z])[A-Za-z0-9]{1,10}")
#: The usual ending of media types for which Python's table has none, or another one than GLPI's.
_USUAL: Final = {
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/aac": ".aac",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "text/plain": ".txt",
    "video/3gpp": ".3gp",
    "video/quicktime": ".mov",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
_SAYS_NOTHING: Final = ("application/octet-stream", "binary/octet-stream")


def ending_of(name: str) -> str:
    """The ending of a file name with its dot, in lower case; "" if there is none."""
    suffix = PurePosixPath(name).suffix
    return suffix.lower() if _ENDING.fullmatch(suffix) else ""


def file_name(name: str, content_type: str = "", disposition: str = "") -> str:
    """A name with an ending: its own, or that of the name in a ``Content-Disposition``, or the
    usual one of the media type. Without one if nothing tells.
    """
    name = name.replace("/", "_").replace("\\", "_")
    if ending_of(name):
        return name
    headers = Headers()
    headers["Content-Disposition"] = " ".join(disposition.split())
    headers["Content-Type"] = " ".join(content_type.split())
    return name + (ending_of(headers.get_filename("") or "") or _usual_ending(headers))


def _usual_ending(headers: Headers) -> str:
    if "/" not in (headers["Content-Type"] or ""):
        return ""  # the library would take it for plain text
    kind = headers.get_content_type()
    if kind in _SAYS_NOTHING:
        return ""
    return _USUAL.get(kind) or mimetypes.guess_extension(kind) or ""
