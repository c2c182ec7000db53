"""Random sessions of one end of ws13 with a naive peer: its DEFLATE is zlib's, its frames are those
of support/frames.py, and what must come of it all is said by an executable model.

A session is made from its seed and from nothing else.
"""
