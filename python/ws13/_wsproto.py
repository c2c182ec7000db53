"""ws13 under wsproto's name, for programs that cannot be edited."""

from __future__ import annotations

import sys
from types import ModuleType

#: The release of wsproto whose API ws13 has.
VERSION = "1.3.2"


def install_as_wsproto() -> None:
    """
    Makes `import wsproto` give ws13, for the rest of the process.

    The modules are the same objects: `wsproto.events.Ping is ws13.events.Ping`. The package itself
    is not, as `wsproto.__version__` is that of wsproto. It need not be installed. Processes that
    this one starts are not concerned, unless they do the same; `python -m ws13 run --as-wsproto`
    takes care of them too. A second call changes nothing.

    Raises `ImportError` if wsproto itself was imported before: some modules would then have its
    classes and some ours.
    """
    present = sys.modules.get("wsproto")
    if isinstance(present, _Wsproto):
        return
    if present is not None:
        raise ImportError(
            f"wsproto was imported before, from {getattr(present, '__file__', None)}: "
            "call install_as_wsproto() before anything imports it"
        )
    from importlib.machinery import ModuleSpec

    import ws13

    package = _Wsproto("wsproto", ws13.__doc__)
    package.__spec__ = ModuleSpec("wsproto", None, origin=ws13.__file__, is_package=True)
    package.__path__ = []  # there are no other modules in it
    package.__dict__.update(__version__=VERSION, __all__=("ConnectionType", "WSConnection"))
    sys.modules["wsproto"] = package
    for name, value in vars(ws13).items():
        is_module = getattr(value, "__name__", None) == f"ws13.{name}"
        if is_module and not name.startswith("_"):
            sys.modules[f"wsproto.{name}"] = value
        if is_module or name in ws13.__all__:
            package.__dict__.setdefault(name, value)


class _Wsproto(ModuleType):
    """The package under the other name."""
