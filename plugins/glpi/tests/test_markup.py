"""What customers and agents write becomes HTML, and nothing else than that."""

from __future__ import annotations

from html import escape, unescape
from typing import Any

import pytest
from hub_glpi.mappers.text import fingerprint, markdown_to_html, plain_to_html
from hypothesis import given
from hypothesis import strategies as st
from linkify_it import LinkifyIt

from plugins.glpi.tests.markup import NASTY, Tags

SAFE_TAGS = {
    *("p", "br", "strong", "em", "a", "ul", "ol", "li", "code", "pre", "blockquote", "hr", "s"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


class TestCustomersText:
    @given(NASTY)
    def test_nothing_in_it_is_markup(self, text: str) -> None:
        tags = Tags(plain_to_html(text))
        assert tags.tags <= {"p", "br", "a"}
        assert all(a.lower().startswith(("http", "mailto:")) for a in tags.addresses)

    @given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=200))
    def test_every_word_arrives(self, text: str) -> None:
        assert Tags(plain_to_html(text)).text.split() == text.split()

    def test_lines_stay_lines(self) -> None:
        assert plain_to_html("one\r\ntwo\n\nfour") == "<p>one<br>two<br><br>four</p>"
        assert plain_to_html(" \n\n  five") == "<p>\xa0\xa0five</p>"
        assert plain_to_html(" \n ") == ""

    def test_spaces_stay_as_they_were_typed(self) -> None:
        assert plain_to_html("if a:\n    b   c") == ("<p>if a:<br>\xa0\xa0\xa0\xa0b\xa0\xa0 c</p>")
        assert plain_to_html("a\tb") == "<p>a\xa0\xa0\xa0 b</p>"

    @pytest.mark.parametrize(
        ("text", "addresses"),
        [
            ("see https://acme.example/?q=a%20b&c=<d>, ok", ["https://acme.example/?q=a%20b&c="]),
            ("(www.acme.com/x).", ["http://www.acme.com/x"]),
            (
                "mail  ann@acme.com\nor http://b.example",
                ["mailto:ann@acme.com", "http://b.example"],
            ),
            ("config.py //acme.com/x javascript:alert(1) file:///etc ftp://a.example", []),
            ("http://acme.example/" + "x" * 3_000, []),
        ],
    )
    def test_addresses_are_links_and_nothing_else(self, text: str, addresses: list[str]) -> None:
        tags = Tags(plain_to_html(text))
        assert tags.addresses == addresses
        assert "".join(tags.text.split()) == "".join(text.split())

    def test_a_text_made_to_take_long_does_not(self) -> None:
        """The search for addresses is given words of bounded length only."""
        asked: list[int] = []

        class Counting(LinkifyIt):  # type: ignore[misc]
            def match(self, text: str) -> Any:
                asked.append(len(text))

        text = "http://a.example/(((" * 4_000 + " http://b.example/" + "(" * 1_000
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LinkifyIt, "match", Counting.match)
            plain_to_html(text)
            markdown_to_html(text)
        assert asked
        assert max(asked) <= 2_048

    def test_very_long_text_is_cut(self) -> None:
        assert len(plain_to_html("x" * 200_000)) < 110_000


class TestAgentsText:
    @given(NASTY)
    def test_only_safe_tags_and_addresses(self, text: str) -> None:
        tags = Tags(markdown_to_html(text))
        assert tags.tags <= SAFE_TAGS
        assert not any(a.lower().startswith(("javascript:", "data:")) for a in tags.addresses)

    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("**bold** and *soft*", "<p><strong>bold</strong> and <em>soft</em></p>"),
            ("one\ntwo", "<p>one<br />two</p>"),
            ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
            ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
            (
                "![spy](https://t.example/1.gif)",
                '<p>!<a href="https://t.example/1.gif">spy</a></p>',
            ),
            ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
            (
                "**VIP** [@Ada Admin](mention://user/1/Ada%20Admin) [@A\\]b](mention://team/2/A)",
                "<p><strong>VIP</strong> <strong>@Ada Admin</strong> <strong>@A]b</strong></p>",
            ),
            (
                "see https://acme.example/?q=a%20b_c_d&x=1 or readme.md",
                (
                    '<p>see <a href="https://acme.example/?q=a%20b_c_d&amp;x=1">'
                    "https://acme.example/?q=a%20b_c_d&amp;x=1</a> or readme.md</p>"
                ),
            ),
        ],
    )
    def test_by_example(self, text: str, html: str) -> None:
        assert markdown_to_html(text) == html

    def test_code_keeps_its_lines(self) -> None:
        assert "a\nb" in Tags(markdown_to_html("```\na\nb\n```")).text


class TestFingerprint:
    @given(NASTY)
    def test_survives_the_trip_through_glpi(self, text: str) -> None:
        html = plain_to_html(text)
        stored = html.replace("&", "&#38;").replace("<", "&#60;").replace(">", "&#62;")
        assert fingerprint(unescape(stored)) == fingerprint(html)
        assert fingerprint(stored) == fingerprint(html)
        assert fingerprint(escape(html)) == fingerprint(html)

    def test_tells_texts_apart(self) -> None:
        assert fingerprint("<p>one</p>") != fingerprint("<p>two</p>")
