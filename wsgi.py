"""The WSGI entry: `flask --app wsgi`, or any WSGI server."""

from uku_web import create_app

app = create_app()
