"""Pictures that were pasted into a mail.

Chatwoot stores them, but does not list them as attachments. Only the mail's HTML has their
addresses, in place of the ``cid:`` addresses of the original. Apple's mail program sends pictures
to which the HTML does not refer; Chatwoot gives no address of these. But it tells the number of all
files of a mail, which shows that some are missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from urllib.parse import unquote

from hub.inbox.sources.reader import Reader
from hub.sdk.events import Attachment
from hub.sdk.settings import origin_of

#: The path of Chatwoot's stored files. A mail must not make the hub fetch anything else there.
_STORED = "/rails/active_storage/"
#: Every repetition is bounded, since anybody can send such a mail.
_SOURCE = re.compile(r"""\bsrc\s{0,9}=\s{0,9}["'](https?://[^"'<>\s]{1,2000})["']""", re.IGNORECASE)


def pasted(
    mail: Reader, attachments: Sequence[Attachment], base_url: str | None
) -> tuple[list[str], int]:
    """The addresses of the pictures in a mail's HTML, and how many of its files have no address.

    At most as many pictures are taken as the mail had files, because quoted mails may show other
    pictures. Chatwoot tells the number of files for incoming mails only.
    """
    number = mail.data.get("number_of_attachments")
    others = number - len(attachments) if isinstance(number, int) else 0
    if others <= 0:
        return [], 0
    known = {item.url for item in attachments}
    urls = [url for url in _stored(mail, base_url) if url not in known][:others]
    return urls, others - len(urls)


def _stored(mail: Reader, base_url: str | None) -> list[str]:
    """The addresses of this Chatwoot's stored files in the HTML, each once."""
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
    # Decoded twice, since a proxy and the server behind it may both decode the path.
    parts = unquote(unquote(path)).replace("\\", "/").split("/")
    return not {".", ".."}.intersection(parts) and origin_of(url) == origin
