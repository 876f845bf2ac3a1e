"""What needs a person: deliveries that failed or wait for one reason are one trouble."""

from __future__ import annotations

import pytest

from hub.accounts import accounts, hooks, sources
from hub.dashboard import languages
from hub.database import in_transaction, reading
from hub.delivery.blame import blaming, parted
from hub.history import troubles
from hub.history.standing import SENTENCES, Cause
from hub.models import Delivery, DeliveryState
from hub.sdk import NeedsAttention, Rejected, Skip
from hub.services import registry
from tests.support.statements import before_each

FRENCH = {
    "Category {id} is gone.": "La catégorie {id} n'existe plus.",
    "The subject is empty.": "Le sujet est vide.",
    "The key is wrong.": "La clé est fausse.",
}


@pytest.fixture
def world(make_world):
    return make_world(translations={"fr": FRENCH})


def found(world):
    return troubles.of_account(world.account.id, registry().plugins)


def happen(world, crm, *endings) -> list[int]:
    """One delivery for each ending; their ids."""
    crm.troubles = list(endings)
    for number, _ in enumerate(endings):
        world.send("contact.created", contact=f"{next(NUMBERS)}-{number}")
    world.sweeper.sweep()
    world.work()
    with reading() as session:
        return [row.id for row in session.query(Delivery).order_by(Delivery.id)][-len(endings) :]


NUMBERS = iter(range(1, 1_000))


def test_nothing_needs_a_person(world, crm):
    happen(world, crm, None, Skip("Nothing to do."))
    world.send("contact.created", contact="waiting")
    assert found(world) == troubles.Troubles([], True)


def test_what_failed_for_good_is_grouped_by_sentence_and_field(world, crm):
    ids = happen(
        world,
        crm,
        Rejected("Category 7 is gone.", field="category_id"),
        Rejected("Category 99 is gone.", field="category_id"),
        Rejected("Category 7 is gone.", field="other_id"),
        Rejected("The subject is empty."),
        Rejected("Category 7 is gone.", field="category_id"),
    )
    rows = found(world).rows
    assert [(row.key, row.field, row.count, row.example) for row in rows] == [
        ("Category {id} is gone.", "category_id", 3, ids[4]),
        ("The subject is empty.", None, 1, ids[3]),
        ("Category {id} is gone.", "other_id", 1, ids[2]),
    ]
    first = rows[0]
    assert (first.hook_id, first.hook_name, first.standing) == (world.hook.id, "Small CRM", None)
    assert first.sentence == "Category 7 is gone. (category_id)"
    with reading() as session:
        moments = [session.get_one(Delivery, ids[at]).created_at for at in (0, 4)]
    assert [first.oldest, first.newest] == moments


def test_what_the_hub_says_of_a_failure_is_no_cause_of_its_own(world, crm):
    for number, text in enumerate(
        (
            "Given up after 72 hours: Category 7 is gone.",
            "Given up after 12 hours: Category 8 is gone.",
            "Given up after 72 hours: The moon is full.",
            "The plugin failed: KeyError: 'id'",
            "The plugin failed: KeyError: 'name'",
        )
    ):
        (delivery,) = happen(world, crm, Rejected(f"{number}"))
        in_transaction(
            lambda session, one=delivery, said=text: setattr(
                session.get_one(Delivery, one), "reason", said
            )
        )
    assert {(row.key, row.count) for row in found(world).rows} == {
        ("Given up after {hours} hours: Category {id} is gone.", 2),
        ("Given up after {hours} hours: The moon is full.", 1),
        ("The plugin failed: KeyError: 'id'", 1),
        ("The plugin failed: KeyError: 'name'", 1),
    }


def test_the_sentences_of_the_hub_are_those_that_it_says():
    assert [text for text in troubles.OF_THE_HUB if text not in languages.known("fr")] == []


def test_all_that_a_stopped_connection_is_owed_is_one_trouble(world, crm):
    happen(world, crm, Rejected("The subject is empty."))
    ids = happen(world, crm, NeedsAttention("The key is wrong.", field="key"), None, None)
    stopped, dead = found(world).rows
    assert (stopped.key, stopped.count, stopped.example) == ("The key is wrong.", 3, ids[-1])
    assert stopped.standing.cause == Cause.NEEDS_ATTENTION
    assert stopped.sentence == "The connection needs attention. The key is wrong."
    assert (dead.key, dead.count) == ("The subject is empty.", 1)
    hooks.pause(world.hook.id, "We move house.")
    assert found(world).rows[0].key == SENTENCES[Cause.PAUSED]
    assert (
        troubles.of_account(world.account.id, {}).rows[0].key == (SENTENCES[Cause.PLUGIN_MISSING])
    )
    with reading() as session:
        states = {session.get_one(Delivery, one).state for one in ids}
    assert states == {DeliveryState.PENDING}


def test_what_belongs_to_others_is_not_told(world, crm):
    happen(world, crm, Rejected("The subject is empty."))
    other = accounts.create("Other")
    sources.create(other, "events")
    hooks.create(other, "crm", {})
    plugins = registry().plugins
    assert troubles.of_account(other.id, plugins).rows == []
    assert len(found(world).rows) == 1


def test_no_history_is_too_long(world, crm, monkeypatch):
    """The newest are looked at, with the same few queries."""
    ids = happen(world, crm, *(Rejected("The subject is empty.") for _ in range(5)))
    asked: list[str] = []
    with before_each(lambda _, statement: asked.append(statement)):
        assert found(world).is_whole
    assert len([one for one in asked if "SELECT" in one]) == 2, "connections, and its dead ones"
    monkeypatch.setattr(troubles, "MOST", 4)
    cut = found(world)
    assert not cut.is_whole
    assert [(row.count, row.example) for row in cut.rows] == [(4, ids[-1])]


@pytest.mark.parametrize(
    ("sentence", "field"),
    [
        ("The subject is empty.", "subject"),
        ("The subject is empty.", None),
        ("It is too long (GLPI 10).", None),
        ("It is too long (GLPI 10).", "content"),
        ("It failed (twice)", None),
        ("Two lines.\nThe second.", "_glpi.users_id"),
    ],
)
def test_a_blamed_field_is_found_again(sentence, field):
    assert parted(blaming(sentence, field)) == (sentence, field)
