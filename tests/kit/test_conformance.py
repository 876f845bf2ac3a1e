"""The conformance kit sees what is wrong with a plugin, and only that.

Each variant is the plugin that ``hub plugins new`` writes, with one thing broken.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from hub.kit import processes
from tests.support.scaffold import edit, install

#: These take seconds and see nothing here that others do not.
SLOW = "not killed_worker and not hangs"

FORGET = """            except Missing as error:
                self.context.links.forget(person)
                raise RetryLater(sentences.PERSON_GONE) from error
"""
RENAME = "                self._client.rename_person(person.remote_id, name)\n"
START = "        self._client = Client(context)\n"


def swallow_errors(site: Path) -> None:
    edit(site, "processor.py", FORGET, "            except Exception:\n                pass\n")


def double_on_retry(site: Path) -> None:
    found = "self._client.find_note(person.remote_id, intent.natural_key)"
    edit(site, "processor.py", f"lambda intent: {found}", "lambda intent: None")


def log_a_secret(site: Path) -> None:
    logged = "        context.log.info(f\"begin with {context.settings['token']}\")\n"
    edit(site, "processor.py", START, START + logged)


def carry_a_secret(site: Path) -> None:
    carried = '        self._headers = {"Authorization": context.settings["token"]}\n'
    edit(site, "processor.py", START, START + carried)


def ignore_retry_after(site: Path) -> None:
    edit(site, "processor.py", START, START + PATIENCE)


PATIENCE = """        request = context.http.request

        def impatient(*arguments, **options):
            try:
                return request(*arguments, **options)
            except RetryLater as error:
                raise RetryLater(error.sentence, throttled=error.throttled) from error

        context.http.request = impatient
"""


def insist_after_429(site: Path) -> None:
    insisting = PATIENCE.replace(
        "raise RetryLater(error.sentence, throttled=error.throttled) from error",
        "if not error.throttled:\n                    raise\n"
        "                return request(*arguments, **options)",
    )
    edit(site, "processor.py", START, START + insisting)


def call_home(site: Path) -> None:
    home = (
        "                try:\n"
        "                    __import__('requests').post('http://127.0.0.1:9/', timeout=1)\n"
        "                except OSError:\n"
        "                    pass\n"
    )
    edit(site, "processor.py", RENAME, home + RENAME)


def go_past_the_hub(site: Path) -> None:
    past = (
        "                __import__('requests').get(\n"
        "                    context_url(self.context) + '/me', timeout=5\n"
        "                )\n"
    )
    edit(site, "processor.py", RENAME, past + RENAME)
    edit(site, "processor.py", "class AcmeProcessor", "def context_url(context):\n"
         '    return context.settings["api_url"]\n\n\nclass AcmeProcessor')  # fmt: skip


def speak_english_only(site: Path) -> None:
    edit(site, "manifest.py", "translations=catalogues()", "translations={}")


def let_the_old_overwrite_the_new(site: Path) -> None:
    edit(site, "processor.py", "event.version < person.version", "False")


def need_an_earlier_event(site: Path) -> None:
    edit(
        site,
        "processor.py",
        "        person = self._person(event)\n        reference",
        "        known = f'{event.source.id}/{event.contact.id}'\n"
        "        person = self.context.links.get('person', known)\n"
        "        if person is None:\n            raise Skip(sentences.NO_EMAIL)\n        reference",
    )


def take_no_turns(site: Path) -> None:
    held = 'with self.context.identity(f"email:{email}"):'
    edit(site, "processor.py", held, "if True:")


def blame_nobody(site: Path) -> None:
    edit(site, "setup.py", "SetupFailed(error.sentence, field=error.field)", "SetupFailed('Error')")


def show_a_secret(site: Path) -> None:
    edit(site, "settings.py", "token = settings.secret(", "token = settings.text(")


FAILED_CALLS = {"a_call_that_fails_is_made_again"}
DEATHS = {"a_death_at_any_boundary_changes_nothing"}
PATIENT = {"a_remote_that_asks_for_patience_gets_it"}
LOST = {"a_call_whose_answer_is_lost_is_not_doubled"}
LEAK = {"no_secret_leaves_the_plugin"}
VARIANTS = {
    swallow_errors: FAILED_CALLS | PATIENT | {"an_answer_that_is_none_is_not_taken_for_success"},
    double_on_retry: LOST | DEATHS,
    log_a_secret: LEAK,
    carry_a_secret: {"printing_what_the_plugin_works_with_shows_no_secret"},
    ignore_retry_after: PATIENT,
    insist_after_429: PATIENT,
    call_home: {"no_undeclared_host_is_called"},
    go_past_the_hub: FAILED_CALLS | LOST | PATIENT | {"every_call_goes_through_the_hub"},
    speak_english_only: {"every_language_has_a_catalogue"},
    let_the_old_overwrite_the_new: {"events_may_come_in_any_order"},
    need_an_earlier_event: {
        "events_may_come_in_any_order",
        "events_that_tell_little_are_understood_too",
    },
    take_no_turns: {"two_workers_that_meet_one_person_do_as_one_would"},
    blame_nobody: {
        "wrong_settings_are_refused_and_named",
        "different_troubles_have_different_sentences",
    },
    show_a_secret: {"secrets_are_never_shown_again"},
}


class Broken:
    """A pytest plugin that remembers the promises whose tests did not pass."""

    def __init__(self) -> None:
        self.promises: set[str] = set()
        self.passed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.promises.add(report.location[2].rpartition(".test_")[2].partition("[")[0])
        elif report.when == "call" and report.passed:
            self.passed += 1


def run_kit(site: Path, answer: Connection) -> None:
    """In a process of its own, since the kit imports the plugin that is installed there."""
    # What else is installed has no part in it, and takes longer to load than the kit to run.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.path.insert(0, str(site))
    os.chdir(site)
    broken = Broken()
    code = pytest.main(
        [
            *(
                "-q",
                "--assert=plain",
                "--tb=no",
                "-k",
                SLOW,
                "-c",
                os.devnull,
                "--rootdir",
                str(site),
            ),
            *("--import-mode=importlib", "-p", "no:cacheprovider"),
            *("--pyargs", "hub_acme.conformance"),
        ],
        plugins=[broken],
    )
    answer.send((int(code), broken.passed, broken.promises))


def failures(site: Path) -> set[str]:
    """The promises that the kit says are broken."""
    ours, theirs = Pipe(duplex=False)
    process = processes.start(run_kit, site, theirs)
    theirs.close()
    code, passed, promises = ours.recv()
    process.join()
    assert code in (0, 1)
    assert passed
    return promises


def test_the_plugin_that_is_written_for_an_author_stands_the_kit(tmp_path: Path) -> None:
    assert failures(install(tmp_path)) == set()


@pytest.mark.parametrize(
    ("break_it", "promises"), VARIANTS.items(), ids=[variant.__name__ for variant in VARIANTS]
)
def test_the_kit_says_what_is_broken(tmp_path: Path, break_it, promises: set[str]) -> None:
    site = install(tmp_path)
    break_it(site)
    assert failures(site) == promises
