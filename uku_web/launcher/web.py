"""The web process: waitress, which ends running requests before it goes."""

import logging
import signal
import sys

import waitress

from uku_web import create_app

THREADS = 8


def serve(host: str, port: int) -> None:
    app = create_app()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a busy moment is no news
    # Waitress by itself cuts running requests off at SIGTERM.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    # Browsers keep connections open between their polls; each costs a little memory, no thread.
    waitress.serve(
        app,
        host=host,
        port=port,
        threads=THREADS,
        connection_limit=500,
        ident=None,
        _quiet=True,
        # Whose X-Forwarded headers count is settled by the app itself; waitress would take them all away.
        clear_untrusted_proxy_headers=not app.extensions["uku_config"].trusted_proxies,
    )
