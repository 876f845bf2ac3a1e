"""Names of people: what is one, and what its parts are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import PersonName, person_name


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Müller, Jürgen", "Jürgen", "Müller"),
        ('"Müller, Jürgen"', "Jürgen", "Müller"),
        ("MÜLLER, Jürgen Karl", "Jürgen Karl", "MÜLLER"),
        ("García Márquez, Gabriel", "Gabriel", "García Márquez"),
        ("van der Berg, Jan", "Jan", "van der Berg"),
        ("Berg, Jan van den", "Jan", "van den Berg"),
        ("Dr. Müller, Jürgen", "Dr. Jürgen", "Müller"),
        ("Müller, Dr. Jürgen", "Dr. Jürgen", "Müller"),
        ("Müller, Jürgen (IT)", "Jürgen", "Müller (IT)"),
        ("O'Neil-Smith, Ann-Marie", "Ann-Marie", "O'Neil-Smith"),
        ("Müller,Jürgen", "Jürgen", "Müller"),
    ],
)
def test_directories_turn_names_around(name: str, first: str, last: str) -> None:
    assert person_name(name) == PersonName(first, last)


@pytest.mark.parametrize(
    "name",
    [
        "Company, Inc.",
        "Acme Tools, LLC",
        "Meier GmbH & Co. KG, Berlin",
        "Müller GmbH, Jürgen",
        "Smith & Sons, London",
        "Smith, Jr.",
        "King, III",
        "Lee, PhD",
        "Ann, Bob, Carla",
        "Ann, the boss",
        "Halle 7, Tor 3",
        "Ann Lee,",
        ", Ann",
        "山田, 太郎",
        "Jan van der Berg",
        "Maria de la Cruz",
        "山田 太郎",
        "محمد علي",
        "50 Cent",
        "Cher",
        "x-ray-Ann",
    ],
)
def test_what_stays_is_split_at_its_first_space(name: str) -> None:
    assert person_name(name) == PersonName.split(name)


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("+49 1570 2948837", None),
        ("4915702948837", None),
        ("٠١٥١٢٣٤٥٦", None),
        ("...", None),
        ("", None),
        ("🌸", None),
        ("👩‍👩‍👧 🏳️‍🌈 👍🏽 1️⃣", None),
        ("ann.lee@example.com", None),
        ("ANN@example.com", "ann@example.com"),
        ("ann.lee", "ann.lee@example.com"),
        ("ann+tag", "ann+tag@example.com"),
        ("ann", "ann@example.com"),
        ("billowing-night-17", None),
        ("solitary-sun-0", "sun@example.com"),
    ],
)
def test_what_is_no_name(name: str, email: str | None) -> None:
    assert person_name(name, email) == PersonName()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ann 🌸", "Ann", ""),
        ("🌸 Ann 🌸 Lee 👩‍🚀", "Ann", "Lee"),
        ("Ann❤️Lee", "Ann", "Lee"),
        ("Ana Flor 👍🏽", "Ana", "Flor"),
        ("㈱田中", "㈱田中", ""),
        ("نمی‌دانم علی", "نمی‌دانم", "علی"),
    ],
)
def test_pictures_are_no_part_of_it(name: str, first: str, last: str) -> None:
    assert person_name(name) == PersonName(first, last)


def test_a_name_that_was_typed_stays_though_the_email_begins_so() -> None:
    assert person_name("Ann", "ann@example.com") == PersonName("Ann")
    assert person_name("ann lee", "ann@example.com") == PersonName("ann", "lee")


@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_comes_has_a_first_part_and_single_spaces(name: str, email: str) -> None:
    found = person_name(name, email)
    assert found.first or not found.last
    for part in (found.first, found.last):
        assert part == " ".join(part.split())
