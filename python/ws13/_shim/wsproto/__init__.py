"""
What a process finds as wsproto that was started by `python -m ws13 run --as-wsproto`.

Nothing of this module stays: it puts the modules of ws13 in its place.
"""

import sys

from ws13 import install_as_wsproto

sys.modules.pop("wsproto", None)
install_as_wsproto()
