import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from server import BINARY, Server  # noqa: E402


@pytest.fixture
def server():
    if not os.path.exists(BINARY):
        pytest.fail(f"{BINARY} is not built: run make build")
    one = Server()
    yield one
    one.remove()


WANTED = int(os.environ.get("VARVE_CRASH_WANTED", "200"))


def is_whole(session):
    """Were both kinds of kills asked for, at random moments and at named steps?"""
    files = {os.path.basename(str(item.fspath)) for item in getattr(session, "items", [])}
    return {"test_random_kills.py", "test_failpoints.py"} <= files and not session.config.option.keyword


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0 and is_whole(session) and Server.deaths < WANTED:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"{Server.deaths} deaths by kill -9 in all; a whole run wants {WANTED}")
