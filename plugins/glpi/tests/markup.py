"""Texts that are hard to show, and what stands in the HTML made of them."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import strategies as st

#: Texts that try to be markup more often than chance would have it.
NASTY = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            ["<", ">", "</", "&", "&lt;", '"', "'", "script", "img src=", "a href=", "b", " ", "\n",
             "<b>", "<img src=x onerror=y>", "<!--", "![x](", "](javascript:", ")", "`", "*"]
        ),
        max_size=20,
    ).map("".join),
)  # fmt: skip


class Tags(HTMLParser):
    """Collects the tags and addresses of a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data
