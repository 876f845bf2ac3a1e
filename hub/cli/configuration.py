"""The configuration by the environment."""

from __future__ import annotations

from hub import log
from hub.cli.failure import Failure
from hub.config import BadConfiguration, Config


def configured() -> Config:
    """The configuration; from now on the process logs to stderr as it says.

    :raises Failure: a variable cannot be used.
    """
    try:
        config = Config.from_environment()
    except BadConfiguration as error:
        raise Failure(str(error)) from error
    log.configure(config.log_format)
    return config
