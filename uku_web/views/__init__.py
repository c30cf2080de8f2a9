"""Blueprints: read the form, call one service, render."""

from flask import Flask


def install(app: Flask) -> None: ...
