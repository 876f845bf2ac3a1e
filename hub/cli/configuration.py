"""The configuration by the environment."""

from __future__ import annotations

import os
from pathlib import Path

from hub import log
from hub.cli.failure import Misconfigured
from hub.config import BadConfiguration, Config


def configured() -> Config:
    """The configuration; from now on the process logs to stderr as it says.

    :raises Failure: a variable cannot be used.
    """
    try:
        config = Config.from_environment()
    except BadConfiguration as error:
        raise Misconfigured(str(error)) from error
    log.configure(config.log_format)
    return config


def require_installation() -> None:
    """Refuse to make an empty hub in whatever folder a command was called.

    :raises Failure: none is here, and no variable says where it is.
    """
    named = ("HUB_DATA_DIR", "HUB_DATABASE_URL")
    if any(os.environ.get(name) or os.environ.get(f"{name}_FILE") for name in named):
        return
    folder = Path("data").absolute()
    if not any((folder / name).exists() for name in ("hub.db", "secret.key", "encryption.keys")):
        raise Misconfigured(
            f"There is no hub in {folder}. Go to the folder that it was started in, or set "
            "HUB_DATA_DIR. 'hub up' makes a new one."
        )
