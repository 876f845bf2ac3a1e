"""By what lasting id a person is known."""

from __future__ import annotations

import pytest

from hub.sdk import Contact, network_of


@pytest.mark.parametrize(
    ("contact", "known"),
    [
        (Contact("1", "Tom", networks={"telegram": "308786162"}), ("telegram", "308786162")),
        (Contact("1", networks={"whatsapp": "b", "line": "a"}), ("line", "a")),
        (Contact("1", networks={"line": " "}, identifier="K-1"), ("identifier", "K-1")),
        (Contact("1", identifier="K\t4711\n"), ("identifier", "K 4711")),
        (Contact("1", "Tom", "tom@example.com", "+4915112345678"), None),
    ],
)
def test_a_network_goes_before_the_site(contact: Contact, known: tuple[str, str] | None) -> None:
    assert network_of(contact) == known
