"""`Config`: what a connection is told when it is made."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from support.negotiation import opened
from ws13 import Config, Connection, ConnectionType, H11Handshake, WSConnection
from ws13.connection import CLIENT, SERVER

#: All settings with their defaults.
DEFAULTS: dict[str, Any] = {
    "whole_messages": False,
    "max_message_size": None,
    "max_frame_size": None,
    "max_fragments": None,
    "piece_size": 65536,
    "max_head_size": 16384,
    "max_head_fields": 128,
    "max_interim_responses": 16,
    "max_rejection_body": 1048576,
    "max_early_data": 65536,
}
LIMITS = [name for name in DEFAULTS if name != "whole_messages"]
each_limit = pytest.mark.parametrize("name", LIMITS)


def test_the_defaults_have_the_events_of_wsproto_and_bound_the_handshake() -> None:
    config = Config()
    assert {name: getattr(config, name) for name in DEFAULTS} == DEFAULTS


@each_limit
@pytest.mark.parametrize("value", [1, 2, 1000, 2**31, 2**32, 2**62, 2**63 - 1, None])
def test_a_limit_is_a_positive_number_or_none(name: str, value: Any) -> None:
    assert getattr(Config(**{name: value}), name) == value


@each_limit
@pytest.mark.parametrize("value", [2**63, 2**64 - 1, 2**64, 10**30])
def test_a_limit_that_nothing_can_reach_is_accepted(name: str, value: Any) -> None:
    assert getattr(Config(**{name: value}), name) >= 2**63 - 1


@each_limit
@pytest.mark.parametrize("value", [0, -1, -(2**63), -(2**64), -(10**30)])
def test_a_limit_below_one_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        Config(**{name: value})


@each_limit
@pytest.mark.parametrize(
    "value", ["1", b"1", 1.0, float("inf"), True, False, [], (1,), object(), 1j, Ellipsis, int]
)
def test_a_limit_of_the_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        Config(**{name: value})


@pytest.mark.parametrize("value", [None, 0, 1, "yes", b"", [], 1.0])
def test_whole_messages_is_a_bool(value: Any) -> None:
    with pytest.raises(TypeError, match="whole_messages"):
        Config(whole_messages=value)


@pytest.mark.parametrize("make", [Config, Config.server, Config.client])
def test_an_unknown_setting_is_refused(make: Any) -> None:
    with pytest.raises(TypeError, match="max_size"):
        make(max_size=1)


@pytest.mark.parametrize("make", [Config, Config.server, Config.client])
@pytest.mark.parametrize("arguments", [(True,), (False, 10), ({},)])
def test_settings_are_keywords(make: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        make(*arguments)


@pytest.mark.parametrize("make", [Config, Config.server, Config.client])
@pytest.mark.parametrize("name", DEFAULTS)
def test_a_config_does_not_change(make: Any, name: str) -> None:
    config = make()
    value = getattr(config, name)
    with pytest.raises(AttributeError):
        setattr(config, name, value)
    with pytest.raises(AttributeError):
        delattr(config, name)
    with pytest.raises(AttributeError):
        config.other = 1
    assert getattr(config, name) == value


@pytest.mark.parametrize("name", DEFAULTS)
def test_configs_are_equal_when_all_settings_are(name: str) -> None:
    value: Any = True if name == "whole_messages" else 77
    changed = Config(**{name: value})
    assert Config() == Config(**DEFAULTS)
    assert hash(Config()) == hash(Config(**DEFAULTS))
    assert changed == Config(**{name: getattr(changed, name)})
    assert changed != Config()
    assert len({Config(), Config(**DEFAULTS), changed}) == 2
    other: Any = DEFAULTS
    assert changed != other
    assert changed != None  # noqa: E711


@pytest.mark.parametrize("config", [Config(), Config.server(), Config(max_fragments=3)])
def test_a_config_prints_what_makes_it_again(config: Config) -> None:
    text = repr(config)
    assert text.startswith("Config(whole_messages=")
    assert eval(text) == config
    assert all(f"{name}={getattr(config, name)!r}" in text for name in DEFAULTS)


@pytest.mark.parametrize("config", [Config(), Config.client(max_early_data=None)])
def test_a_config_is_pickled_and_copied(config: Config) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(config, protocol)) == config
    assert copy.copy(config) == config
    assert copy.deepcopy([config]) == [config]


def test_a_config_is_the_start_of_another() -> None:
    config = Config(max_fragments=3)
    changed = config.__replace__(max_fragments=None, whole_messages=True)
    assert changed == Config(whole_messages=True)
    assert config == Config(max_fragments=3)
    with pytest.raises(ValueError, match="max_fragments"):
        config.__replace__(max_fragments=0)


@pytest.mark.parametrize("preset", [Config.server, Config.client])
def test_presets_give_out_whole_messages_of_limited_size(preset: Any) -> None:
    config = preset()
    assert type(config) is Config
    assert config.whole_messages
    assert config.max_message_size is not None
    for name in LIMITS[3:]:
        assert getattr(config, name) == DEFAULTS[name]


def test_a_server_is_told_of_tighter_limits_than_a_client() -> None:
    server, client = Config.server(), Config.client()
    assert (server.max_message_size, server.max_fragments) == (1024 * 1024, 4096)
    assert client.max_message_size == 64 * 1024 * 1024


@pytest.mark.parametrize("preset", [Config.server, Config.client])
@pytest.mark.parametrize("name", DEFAULTS)
def test_a_preset_takes_changes(preset: Any, name: str) -> None:
    value = False if name == "whole_messages" else None
    changed = preset(**{name: value})
    assert getattr(changed, name) is value
    for other in DEFAULTS:
        assert other == name or getattr(changed, other) == getattr(preset(), other)
    if name != "whole_messages":
        with pytest.raises(ValueError, match=name):
            preset(**{name: 0})


@pytest.mark.parametrize("make", [WSConnection, Connection, H11Handshake])
@pytest.mark.parametrize("kind", ConnectionType)
@pytest.mark.parametrize("config", [None, Config(), Config.server(), Config.client()])
def test_what_is_made_takes_a_config(
    make: Any, kind: ConnectionType, config: Config | None
) -> None:
    assert make(kind, config=config).client is (kind is CLIENT)


@pytest.mark.parametrize("make", [WSConnection, Connection, H11Handshake])
@pytest.mark.parametrize("config", [{}, 5, "x", Config, {"max_fragments": 1}])
def test_what_is_no_config_is_refused(make: Any, config: Any) -> None:
    with pytest.raises(TypeError):
        make(SERVER, config=config)


def test_a_config_is_a_keyword() -> None:
    make: Any = Connection
    with pytest.raises(TypeError):
        make(SERVER, None, b"", Config())
    other: Any = WSConnection
    with pytest.raises(TypeError):
        other(SERVER, Config())


@pytest.mark.parametrize("role", ["client", "server"])
def test_one_config_serves_many_connections(role: str) -> None:
    config = Config(max_message_size=1, whole_messages=True)
    key = b"\x80\0\0\0\0" if role == "server" else b"\x00"
    for _ in range(3):
        connection = opened(role, None, config)
        connection.receive_data(b"\x82" + bytes([key[0] | 2]) + key[1:] + b"ab")
        assert [getattr(event, "code", None) for event in connection.events()] == [1009]
