"""Signing up, in and out."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hub.access import devices, invitations, passwords, throttle, tokens
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.errors import Refused
from hub.models import AuditEntry, Role, SignInFailures, User, UserSession
from tests.support.clock import clock_of
from tests.support.people import PASSWORD, Person, administrator, member


def test_the_first_link_makes_an_administrator_once(web):
    with web.app_context():
        first = invitations.first_administrator()
        link = invitations.first_administrator()
    assert Person(web).get("/" + first.split("/", 3)[3]).status_code == 404, "only the last is good"
    person = Person(web).sign_up(link, "Root@Example.com", "Root")
    assert "New account" in person.page("/accounts")
    assert Person(web).get("/" + link.split("/", 3)[3]).status_code == 404
    with web.app_context():
        assert invitations.first_administrator() is None
        with reading() as session:
            user = session.scalars(select(User)).one()
    assert (user.email, user.administrator) == ("root@example.com", True)
    assert PASSWORD not in user.password_hash
    assert user.password_hash.startswith("$argon2id$")


def test_signing_in_and_out(web):
    administrator(web)
    person = Person(web)
    assert person.get("/accounts").location == "/sign-in?next=/accounts"
    assert person.sign_in(" ROOT@example.com ", next="/profile").location == "/profile"
    assert "Root" in person.page("/profile")
    cookie = person.client.get_cookie("hub")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    person.does("/sign-out")
    assert person.get("/profile").status_code == 303


def test_a_cookie_from_before_signing_out_is_worth_nothing(web):
    person = administrator(web)
    stolen = person.client.get_cookie("hub").value
    person.does("/sign-out")
    thief = Person(web)
    thief.client.set_cookie("hub", stolen)
    assert thief.get("/profile").status_code == 303


@pytest.fixture(autouse=True)
def _no_wait_ends(web):
    """The first wait is one second, and on a busy machine a sign-in takes longer than that."""
    clock_of(web).stop()


@pytest.mark.parametrize("email", ["root@example.com", "nobody@example.com"])
def test_the_answer_does_not_tell_who_exists(web, email):
    administrator(web)
    answer = Person(web).sign_in(email, "wrong")
    assert answer.status_code == 401
    assert "The email or the password is wrong." in answer.text


def test_guessing_is_slowed_down(web):
    administrator(web)
    person = Person(web)
    for _ in range(throttle.FREE_OF_EMAIL):
        assert person.sign_in("root@example.com", "wrong").status_code == 401
    # The right password does not help now: who guesses must not learn that it was right.
    assert person.sign_in("root@example.com").status_code == 429
    later = SystemClock().now() - timedelta(minutes=1)
    with web.app_context():
        in_transaction(lambda s: s.execute(update(SignInFailures).values(last_at=later)))
    assert person.sign_in("root@example.com").status_code == 303
    with web.app_context():
        throttle.admit(throttle.of_sign_in("root@example.com", "10.0.0.9", None))


def test_a_stranger_who_guesses_does_not_lock_out_the_owner(web):
    administrator(web)
    owner = Person(web)
    owner.sign_in("root@example.com")
    owner.does("/sign-out")
    stranger = Person(web)
    for _ in range(throttle.FREE_OF_EMAIL):
        stranger.sign_in("root@example.com", "wrong")
    assert stranger.sign_in("root@example.com").status_code == 429
    assert owner.sign_in("root@example.com").status_code == 303
    # The device is known for its owner only, and has a count of its own.
    owner.does("/sign-out")
    with web.app_context():
        device = owner.client.get_cookie("hub-device").value
        assert devices.known(device, "root@example.com")
        assert devices.known(device, "other@example.com") is None
        assert devices.known(device + "x", "root@example.com") is None
    for _ in range(throttle.FREE_OF_EMAIL):
        assert owner.sign_in("root@example.com", "wrong").status_code == 401
    assert owner.sign_in("root@example.com").status_code == 429


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8:1:2::%x", "::ffff:10.0.0.7"])
def test_who_guesses_many_emails_is_slowed_down(web, address):
    """Also with another one of the many addresses that each subscriber of IPv6 has."""

    def guess(number: int) -> None:
        source = address % number if "%" in address else address
        throttle.admit(throttle.of_sign_in(f"a{number}@example.com", source, None))

    with web.app_context():
        for number in range(throttle.FREE_OF_ADDRESS):
            guess(number)
        with pytest.raises(throttle.TooManyTries):
            guess(99)
        throttle.admit(throttle.of_sign_in("b@example.com", "2001:db8:1:3::7", None))


def test_many_guesses_at_once_are_counted_before_a_password_is_looked_at(web, monkeypatch):
    administrator(web)
    looked_at, running, most = [], [], []

    def slow(*_: object) -> bool:
        running.append(1)
        most.append(len(running))
        barrier.wait(120)
        looked_at.append(1)
        running.pop()
        return False

    # All that are admitted meet here, so none can be late because of another's count.
    barrier = threading.Barrier(throttle.FREE_OF_EMAIL)
    monkeypatch.setattr(passwords, "is_right", slow)
    with ThreadPoolExecutor(20) as pool:
        tries = [pool.submit(Person(web).sign_in, "root@example.com", "wrong") for _ in range(20)]
        codes = sorted(one.result().status_code for one in tries)
    assert codes == [401] * throttle.FREE_OF_EMAIL + [429] * (20 - throttle.FREE_OF_EMAIL)
    assert len(looked_at) == throttle.FREE_OF_EMAIL


def test_a_process_makes_two_hashes_at_once(web, monkeypatch):
    """Each takes 64 MB; forty at once took two gigabytes."""
    running, most, lock = [], [], threading.Lock()

    class Hasher:
        def verify(self, *_: str) -> None:
            with lock:
                running.append(1)
                most.append(len(running))
            threading.Event().wait(0.02)
            with lock:
                running.pop()

    monkeypatch.setattr(passwords, "_hasher", lambda _: Hasher())

    def verify() -> bool:
        with web.app_context():
            return passwords.is_right("stored", "x")

    with ThreadPoolExecutor(12) as pool:
        assert all(one.result() for one in [pool.submit(verify) for _ in range(12)])
    assert max(most) <= passwords.AT_ONCE


@pytest.mark.parametrize(
    "weak",
    [
        *("password1234", "qwertyuiop123", "111111111111", "abcdefghijkl", "iloveyou2023"),
        *("root@example.com", "robertaroot1", "chatwoot12345"),
    ],
)
def test_an_easily_guessed_password_is_refused(web, weak):
    with web.app_context(), pytest.raises(Refused, match="easily guessed"):
        passwords.hashed(weak, "root@example.com", "Roberta Root")


def test_a_good_password_is_taken_however_long(web):
    with web.app_context():
        for good in ("correct mule battery nine", "Z9!kd,wq8Rt2", "wort " * 100 + "zebra lamp"):
            assert passwords.is_right(passwords.hashed(good, "root@example.com"), good)


def test_guessing_the_present_password_is_slowed_down(web):
    """Whoever sits at somebody's unlocked browser."""
    person = administrator(web)
    for _ in range(throttle.FREE_OF_EMAIL):
        answer = person.post("/profile/password", old="no", new="another long sentence")
        assert "The current password is wrong." in answer.text
    answer = person.post("/profile/password", old=PASSWORD, new="another long sentence")
    assert "Too many failed" in answer.text


def test_a_failed_sign_in_is_written_down(web):
    administrator(web)
    Person(web).sign_in("root@example.com", "wrong")
    Person(web).sign_in("nobody@example.com", "wrong")
    with web.app_context(), reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(2)).all()
        user_id = session.scalars(select(User.id)).one()
    assert [(one.action, one.actor, one.address, one.subject_id) for one in entries] == [
        ("user.sign_in_failed", "somebody as nobody@example.com", "127.0.0.1", None),
        ("user.sign_in_failed", "somebody as root@example.com", "127.0.0.1", user_id),
    ]


@pytest.mark.parametrize(
    ("onward", "leads_to"),
    [
        ("/profile", "/profile"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("\\\\evil.example", "/"),
        ("/x\r\nLocation: https://evil.example", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(web, onward, leads_to):
    administrator(web)
    assert Person(web).sign_in("root@example.com", next=onward).location == leads_to


def test_a_session_ends_by_itself(web):
    person = administrator(web)
    with web.app_context():
        past = SystemClock().now() - timedelta(seconds=1)
        in_transaction(lambda s: s.execute(update(UserSession).values(expires_at=past)))
    assert person.get("/profile").status_code == 303


def test_a_session_is_prolonged_but_not_for_ever(web):
    person = administrator(web)
    now = SystemClock().now()
    with web.app_context():
        old = now - timedelta(days=85)
        values = {"created_at": old, "last_seen_at": now - timedelta(hours=1)}
        in_transaction(lambda s: s.execute(update(UserSession).values(**values)))
        person.page("/profile")
        with reading() as session:
            row = session.scalars(select(UserSession)).one()
        assert row.expires_at == row.created_at + timedelta(days=90)
        assert row.last_seen_at > now - timedelta(minutes=1)


def test_a_new_password_ends_other_sessions(web):
    person = administrator(web)
    other = Person(web)
    other.sign_in("root@example.com")
    wrong = person.post("/profile/password", old="no", new="another long sentence")
    assert wrong.status_code == 400
    assert "The current password is wrong." in wrong.text
    person.does("/profile/password", old=PASSWORD, new="another long sentence")
    person.page("/profile")
    assert other.get("/profile").status_code == 303
    assert Person(web).sign_in("root@example.com").status_code == 401
    assert Person(web).sign_in("root@example.com", "another long sentence").status_code == 303


def test_sessions_are_listed_and_ended(web):
    person = administrator(web)
    other = Person(web)
    other.sign_in("root@example.com")
    with web.app_context(), reading() as session:
        newest = session.scalars(select(UserSession.id).order_by(UserSession.id.desc())).first()
    person.does(f"/profile/sessions/{newest}/end")
    assert other.get("/profile").status_code == 303
    person.page("/profile")
    person.does("/profile/sessions/end")
    assert person.get("/profile").status_code == 303


def test_nobody_ends_the_session_of_another(web):
    root = administrator(web)
    with web.app_context():
        link = invitations.create()
        with reading() as session:
            of_root = session.scalars(select(UserSession.id)).one()
    other = Person(web).sign_up(link, "other@example.com")
    assert other.post(f"/profile/sessions/{of_root}/end").status_code == 404
    root.page("/profile")


def test_an_invitation_to_an_account(web):
    root = administrator(web)
    account = int(root.post("/accounts/new", name="Acme").location.split("/")[2])
    person = member(web, account, Role.VIEWER)
    assert "Acme" in person.page(f"/accounts/{account}/")
    with web.app_context():
        link = invitations.create(account_id=account, role=Role.OWNER, email="other@example.com")
    path = "/" + link.split("/", 3)[3]
    assert person.post(path).status_code == 400, "it is for somebody else"
    with web.app_context():
        path = "/" + invitations.create(account_id=account, role=Role.OWNER).split("/", 3)[3]
    person.does(path)
    person.page(f"/accounts/{account}/members")


def test_a_link_for_a_new_password(web):
    person = administrator(web)
    with web.app_context(), reading() as session:
        user_id = session.scalars(select(User.id)).one()
    with web.app_context():
        link, second = (invitations.new_password(user_id) for _ in range(2))
        _, robot = tokens.create(user_id, "robot", ["look"])
    path, other = ("/" + one.split("/", 3)[3] for one in (link, second))
    helper = Person(web)
    assert helper.post(path, password="short").status_code == 400
    helper.does(path, password="a wholly new sentence")
    assert person.get("/profile").status_code == 303, "other sessions end"
    assert helper.get(path).status_code == 404
    assert Person(web).get(other).status_code == 404, "other links end"
    with web.app_context():
        assert tokens.identify(robot) is None, "tokens end"
    assert Person(web).sign_in("root@example.com", "a wholly new sentence").status_code == 303


def test_a_link_ends_with_the_right_of_who_made_it(web):
    """Else whoever is shown the door comes back by a link of his own."""
    root = administrator(web)
    account = int(root.post("/accounts/new", name="Acme").location.split("/")[2])
    owner = member(web, account, Role.OWNER, "owner@example.com")

    def link(person: Person) -> str:
        page = person.post(f"/accounts/{account}/members/invite", role="owner").text
        return "/" + re.findall(r"invitation/[\w-]{30,}", page)[0]

    with web.app_context(), reading() as session:
        owner_id = session.scalar(select(User.id).where(User.email == "owner@example.com"))
    path = f"/accounts/{account}/members/{owner_id}"
    made, of_root = link(owner), link(root)
    assert Person(web).get(made).status_code == 200
    root.does(f"{path}/role", role="operator")
    assert Person(web).get(made).status_code == 404
    assert Person(web).post(made, email="again@example.com").status_code == 404
    assert Person(web).get(of_root).status_code == 200
    with web.app_context():
        assert len(invitations.listed(account)) == 1
    root.does(f"{path}/role", role="owner")
    assert Person(web).get(made).status_code == 200
    with web.app_context():
        reset = "/" + invitations.new_password(owner_id).split("/", 3)[3]
    Person(web).does(reset, password="a wholly new sentence")
    assert Person(web).get(made).status_code == 404, "whoever had the account made it, perhaps"


def test_an_invitation_leaves_an_account_its_last_owner(web):
    root = administrator(web)
    account = int(root.post("/accounts/new", name="Acme").location.split("/")[2])
    with web.app_context():
        path = "/" + invitations.create(account_id=account, role=Role.VIEWER).split("/", 3)[3]
    answer = root.post(path)
    assert answer.status_code == 400
    assert "needs an owner" in answer.text


def test_signing_in_is_written_down(web):
    administrator(web)
    Person(web).sign_in("root@example.com")
    with web.app_context(), reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.actor, entry.address) == (
        "user.signed_in",
        "Root <root@example.com>",
        "127.0.0.1",
    )
