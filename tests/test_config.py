"""The configuration by the environment."""

from __future__ import annotations

import stat

import pytest
from cryptography.fernet import Fernet

from hub.config import BadConfiguration, Config


def test_first_start_makes_and_keeps_what_it_needs(tmp_path):
    first = Config.from_environment({"HUB_DATA_DIR": str(tmp_path / "data")})
    again = Config.from_environment({"HUB_DATA_DIR": str(tmp_path / "data")})
    assert first == again
    assert first.database_url == f"sqlite:///{tmp_path}/data/hub.db"
    assert first.redis_url is None
    for name in ("encryption.keys", "secret.key"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_secrets_can_be_read_from_files(tmp_path):
    key = Fernet.generate_key().decode()
    (tmp_path / "key").write_text(key + "\n")
    config = Config.from_environment(
        {"HUB_DATA_DIR": str(tmp_path), "HUB_ENCRYPTION_KEYS_FILE": str(tmp_path / "key")}
    )
    assert config.encryption_keys == (key,)


def test_commands_know_the_address_of_the_running_hub(tmp_path, monkeypatch):
    environment = {"HUB_DATA_DIR": str(tmp_path)}
    config = Config.from_environment(environment)
    assert config.public_url == "http://127.0.0.1:8000"
    config.reached_by("http://127.0.0.1:8123")
    assert Config.from_environment(environment).public_url == "http://127.0.0.1:8123"
    monkeypatch.setenv("HUB_PUBLIC_URL", "https://hub.example.com/")
    config.reached_by("http://127.0.0.1:8123")
    assert Config.from_environment(environment).public_url == "https://hub.example.com"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgres_addresses_as_people_write_them(tmp_path, scheme):
    config = Config.from_environment(
        {"HUB_DATA_DIR": str(tmp_path), "HUB_DATABASE_URL": f"{scheme}://me@db/hub"}
    )
    assert config.database_url == "postgresql+psycopg://me@db/hub"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"HUB_LOG_FORMAT": "xml"}, "HUB_LOG_FORMAT must be console or json"),
        ({"HUB_DATABASE_URL": "mysql://db/hub"}, "HUB_DATABASE_URL must begin with"),
        ({"HUB_DATABASE_URL": "sqlite:///hub.db"}, "must name the file of SQLite absolutely"),
        ({"HUB_ENCRYPTION_KEYS": "c2hvcnQ="}, "HUB_ENCRYPTION_KEYS must be Fernet keys"),
        ({"HUB_ENCRYPTION_KEYS": "short"}, "HUB_ENCRYPTION_KEYS must be Fernet keys"),
        ({"HUB_OUTBOUND_DENY": "10.0.0.0/99"}, "HUB_OUTBOUND_DENY must be networks"),
        ({"HUB_SECRET_KEY": "a", "HUB_SECRET_KEY_FILE": "b"}, "not both"),
        ({"HUB_SECRET_KEY_FILE": "/nowhere/at/all"}, "HUB_SECRET_KEY_FILE cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, variables, reason):
    with pytest.raises(BadConfiguration, match=reason):
        Config.from_environment({"HUB_DATA_DIR": str(tmp_path), **variables})
