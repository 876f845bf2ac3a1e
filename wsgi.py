"""The WSGI entry, for servers other than ``hub web``: ``gunicorn wsgi:app``."""

from hub import log
from hub.app import create_web_app
from hub.config import Config

config = Config.from_environment()
log.configure(config.log_format)
app = create_web_app(config)
