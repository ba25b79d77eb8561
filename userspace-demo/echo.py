# SPDX-License-Identifier: GPL-2.0
# python3 echo.py server: one connection, in capitals; python3 echo.py: a client.
import socket, sys

IPPROTO_XTCP = 253		# or what /sys/module/xtcp/parameters/ipproto says

def xtcp():
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_XTCP)

if sys.argv[1:] == ["server"]:
    with xtcp() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 7778))
        listener.listen()
        connection, peer = listener.accept()
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data.upper())
else:
    with xtcp() as s:
        s.connect(("127.0.0.1", 7778))
        s.sendall(b"hello over xtcp\n")
        s.shutdown(socket.SHUT_WR)
        print(s.makefile().read(), end="")
