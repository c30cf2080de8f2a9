"""How this process reaches the vendors: made once from the settings."""

import time

import redis
from flask import current_app

from uku_web import clock
from uku_web.vendors.access import Setup


def vendor_setup() -> Setup:
    found = current_app.extensions.get("uku_vendor_setup")
    if found is None:
        config = current_app.extensions["uku_config"]
        found = current_app.extensions["uku_vendor_setup"] = Setup(
            environ=config.environ,
            redis=redis.Redis.from_url(config.redis_url, socket_connect_timeout=2, socket_timeout=5),
            now=clock.now,
            allow_private=config.allow_private_hosts,
            sleep=time.sleep,
        )
    return found
