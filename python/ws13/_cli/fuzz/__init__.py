"""``python -m ws13 fuzz``: how a WebSocket server or client stands what it should never be sent."""
