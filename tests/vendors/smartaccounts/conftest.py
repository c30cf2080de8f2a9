"""SmartAccounts' made-up books behind a door."""

import importlib.util
from pathlib import Path

import pytest

from uku_web.vendors.smartaccounts.connector import Connector


@pytest.fixture
def sample():
    spec = importlib.util.spec_from_file_location("smartaccounts_sample", Path(__file__).parent / "sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def smart(sample, fake_door):
    """smart() -> a connector over the sample books; its door keeps what was sent."""

    def build(reply=None, *, options=None, **credentials) -> Connector:
        door = fake_door(reply or sample.reply)
        return Connector(door, {**sample.CREDENTIALS, **credentials}, options=options)

    return build
