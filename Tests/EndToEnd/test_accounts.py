"""Accounts and access keys: whose things are whose, who may do what, and keys that stop being accepted."""
import re

import pytest


@pytest.fixture
def two(fresh):
    """A server with a second account and an administrator's key of it."""
    house = fresh.start()
    account = house.varve("account", "create", "builders")
    assert re.fullmatch(r"\d{12}", account)
    return house, account, key_of(house, "bob", "--account", account)


def key_of(house, *words):
    text = house.varve("access-key", "create", *words)
    found = re.fullmatch(r"\[default\]\naws_access_key_id = (\S{20})\naws_secret_access_key = (\S{40})", text)
    assert found, text
    return found.groups()


def signing(house, key):
    return dict(house.environment(), VARVE_ACCESS_KEY_ID=key[0], VARVE_SECRET_ACCESS_KEY=key[1])


def as_(house, key, *words):
    return house.run(*words, env=signing(house, key))


def test_two_accounts_do_not_see_each_other(two):
    house, account, key = two
    mine = house.volume("1MiB")
    snapshot = house.snapshot(mine)
    theirs = as_(house, key, "volume", "create", "--size", "1MiB").out.strip()
    assert [one["id"] for one in house.volumes()] == [mine]
    listed = as_(house, key, "volume", "list")
    assert theirs in listed.out and mine not in listed.out
    nobodys = mine[:-1] + ("0" if mine[-1] != "0" else "1")
    for words in (["volume", "show", mine], ["volume", "delete", mine], ["volume", "uri", mine],
                  ["snapshot", "create", mine], ["volume", "create", "--from-volume", mine]):
        refused = as_(house, key, *words)
        unknown = as_(house, key, *[nobodys if word == mine else word for word in words])
        assert refused.code == unknown.code == 1
        assert refused.err.replace(mine, "ID") == unknown.err.replace(nobodys, "ID"), "it would tell that the volume exists"
    for words in (["snapshot", "show", snapshot], ["snapshot", "delete", snapshot], ["snapshot", "uri", snapshot],
                  ["volume", "create", "--from-snapshot", snapshot]):
        refused = as_(house, key, *words)
        assert refused.code == 1 and "there is no snapshot" in refused.err
    assert house.show("volume", mine)["state"] == "available"
    assert as_(house, key, "store", "status").code == 1
    assert as_(house, key, "account", "create", "more").code == 1
    assert mine not in as_(house, key, "task", "list").out


def test_roles_and_keys_that_are_accepted_no_more(two):
    house, account, key = two
    reader = key_of(house, "ann", "--role", "reader")
    clerk = key_of(house, "ci", "--role", "operator")
    volume = house.volume("1MiB")
    assert volume in as_(house, reader, "volume", "list").out
    refused = as_(house, reader, "volume", "create", "--size", "1MiB")
    assert refused.code == 1 and "reader" in refused.err
    assert as_(house, clerk, "volume", "create", "--size", "1MiB").code == 0
    assert as_(house, clerk, "access-key", "create", "x").code == 1
    house.varve("access-key", "disable", clerk[0])
    gone = as_(house, clerk, "volume", "list")
    assert gone.code == 1
    house.stop()
    house.start()
    assert as_(house, clerk, "volume", "list").err.replace(clerk[0], "") == gone.err.replace(clerk[0], "")
    house.varve("access-key", "enable", clerk[0])
    assert as_(house, clerk, "volume", "list").code == 0
    house.varve("access-key", "delete", clerk[0])
    assert as_(house, clerk, "volume", "list").code == 1
    listed = house.varve("access-key", "list")
    assert reader[0] in listed and clerk[0] not in listed and reader[1] not in listed
    assert key[0] in house.varve("access-key", "list", "--account", account)


def test_an_account_that_owns_something_stays(two):
    house, account, key = two
    volume = as_(house, key, "volume", "create", "--size", "1MiB").out.strip()
    assert "still owns" in house.refused("account", "delete", account)
    assert as_(house, key, "volume", "delete", volume).code == 0
    house.varve("account", "delete", account)
    assert account not in house.varve("account", "list")
    assert as_(house, key, "volume", "list").code == 1
    assert "is the house's own" in house.refused("account", "delete", "100000000000")
    house.refused("account", "create", "", code=1)
    house.refused("access-key", "create", "x", "--role", "king", code=2)
    house.refused("access-key", "create", "x", "--account", "999999999999")


def test_no_secret_is_in_the_catalog(two):
    house, account, key = two
    house.stop()
    for name in ("catalog.sqlite", "catalog.sqlite-wal"):
        try:
            content = open(f"{house.data}/{name}", "rb").read()
        except FileNotFoundError:
            continue
        assert key[1].encode() not in content
    house.start()
    assert as_(house, key, "volume", "list").code == 0
