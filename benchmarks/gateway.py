"""An SMS gateway that costs as little as one in Python can: it accepts every message at once and remembers nothing.

    python -m benchmarks.gateway --port 9001

For rates alone. What a gateway may do wrong is the business of `tests.drills.gateway`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Gateway(asyncio.Protocol):
    """Reads whole requests, however they are cut, and answers 201 to each in order."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(data, 0, end + 2)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(data) < size:
                break
            self.answer(data[end + 4 : size])
            data = data[size:]
        self.rest = data

    def answer(self, body: bytes) -> None:
        key = json.loads(body)["client_id"]
        said = b'{"id": "%s", "status": "sent"}' % key.encode()
        head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said)
        self.transport.write(head + said)  # type: ignore[attr-defined]


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Gateway, "127.0.0.1", port, backlog=256)
    await server.serve_forever()


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("--port", type=int, required=True)
    asyncio.run(serve(words.parse_args().port))
