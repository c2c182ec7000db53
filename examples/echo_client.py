"""Say one thing to an echo server, print the answer, and close."""

import socket

from ws13 import ConnectionType, WSConnection
from ws13.events import AcceptConnection, CloseConnection, Request, TextMessage

ws = WSConnection(ConnectionType.CLIENT)
with socket.create_connection(("127.0.0.1", 8765)) as sock:
    sock.sendall(ws.send(Request(host="127.0.0.1:8765", target="/")))
    while data := sock.recv(65536):
        ws.receive_data(data)
        for event in ws.events():
            if isinstance(event, AcceptConnection):
                sock.sendall(ws.send(TextMessage("Hello, WebSocket!")))
            elif isinstance(event, TextMessage):
                print(event.data, end="\n" if event.message_finished else "")
                if event.message_finished:
                    sock.sendall(ws.send(CloseConnection(1000)))
