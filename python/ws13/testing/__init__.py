"""For those who test WebSocket servers, clients and libraries, theirs or others'.

A writer of any frame and any opening handshake, legal or not; ways to cut bytes; a judge of what
a peer sent; two ends joined in memory; a catalogue of cases (`ws13.testing.cases`); strategies for
Hypothesis (`ws13.testing.strategies`, which needs ``pip install 'ws13[testing]'``).

What writes and what judges is made of the standard library alone and shares nothing with ws13's
engine. `import ws13` imports none of it.
"""
