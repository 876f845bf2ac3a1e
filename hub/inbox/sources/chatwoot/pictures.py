"""Pictures that were pasted into a mail.

Chatwoot keeps them in its storage and names them in the mail's HTML only, in place of the ``cid:``
address that the mail had: they are not among the attachments. A picture to which the HTML does not
refer, as Apple's program sends them, is told nowhere; the number of the mail's attachments, which
counts all of them, shows that one is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from urllib.parse import unquote

from hub.inbox.sources.reader import Reader
from hub.sdk.events import Attachment
from hub.sdk.settings import origin_of

#: Where Chatwoot serves stored files: nothing else of its host is fetched because of a mail.
_STORED = "/rails/active_storage/"
#: Every repetition is bounded, since anybody can write such a mail.
_SOURCE = re.compile(r"""\bsrc\s{0,9}=\s{0,9}["'](https?://[^"'<>\s]{1,2000})["']""", re.IGNORECASE)


def pasted(
    mail: Reader, attachments: Sequence[Attachment], base_url: str | None
) -> tuple[list[str], int]:
    """The addresses of the pictures in a mail's HTML, and how many of its files are told nowhere.

    There are no more pictures than the mail had files: what it quotes may show others. Chatwoot
    tells the number for mails that came in, not for those that agents write.
    """
    number = mail.data.get("number_of_attachments")
    others = number - len(attachments) if isinstance(number, int) else 0
    if others <= 0:
        return [], 0
    known = {item.url for item in attachments}
    urls = [url for url in _stored(mail, base_url) if url not in known][:others]
    return urls, others - len(urls)


def _stored(mail: Reader, base_url: str | None) -> list[str]:
    """The addresses in the HTML that lead into this Chatwoot's storage, each once."""
    html = Reader(mail.mapping("html_content")).text("full") or ""
    if not base_url or _STORED not in html:
        return []
    here = origin_of(base_url)
    found = (unescape(match[1]) for match in _SOURCE.finditer(html))
    return list(dict.fromkeys(url for url in found if _is_stored(url, here)))


def _is_stored(url: str, origin: str) -> bool:
    path = "/" + url.partition("://")[2].partition("/")[2]
    if not path.startswith(_STORED) or not url.isprintable():
        return False
    # As servers may read it, one behind the other.
    parts = unquote(unquote(path)).replace("\\", "/").split("/")
    return not {".", ".."}.intersection(parts) and origin_of(url) == origin
