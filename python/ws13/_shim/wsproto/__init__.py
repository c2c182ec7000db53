"""
What a process finds as wsproto that was started by `python -m ws13 run --as-wsproto`.

Nothing of this module stays: it puts the modules of ws13 in its place. A Python without ws13, which
has inherited the search path, gets its own wsproto.
"""

import importlib
import os
import sys


def _without_ws13() -> None:
    """Leaves the search path, and imports wsproto anew."""
    here = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
    sys.path[:] = [path for path in sys.path if os.path.realpath(path) != here]
    # If there is none, the error is about wsproto, and the traceback has the one about ws13 too.
    importlib.import_module("wsproto")


sys.modules.pop("wsproto", None)
try:
    from ws13 import install_as_wsproto
except ImportError:
    _without_ws13()
else:
    install_as_wsproto()
