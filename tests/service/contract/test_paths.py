"""Can somebody who asks for ten thousand things that do not exist fill the memory of Prometheus?"""

import random
from typing import Any

import httpx
from prometheus_client import generate_latest

from service.runtime import Runtime


def series(runtime: Runtime) -> int:
    return sum(not line.startswith(b"#") for line in generate_latest(runtime.metrics.registry).splitlines())


async def test_ten_thousand_hostile_paths_add_no_series(client: httpx.AsyncClient, runtime: Runtime) -> None:
    runtime.cache.remote = None  # ten thousand round trips would measure the machine, not the labels
    await client.get("/nowhere")
    await client.request("BREW", "/nowhere")
    before, known = series(runtime), len(runtime.metrics._http)
    dice = random.Random(1)  # noqa: S311 (the same paths every time)
    alphabet = "abcXYZ019%/.;{}<>'\"\\?&= \u00e7\u4e2d"
    served: Any = client._transport
    for number in range(10_000):
        path = "/" + "".join(dice.choices(alphabet, k=dice.randrange(1, 40)))
        method = dice.choice(["GET", "POST", "BREW", f"M{number}"])
        sent: list[Any] = []

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            **{
                "type": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
            },
            **{
                "scheme": "http",
                "http_version": "1.1",
                "server": ("service.test", 80),
                "client": ("127.0.0.1", 1),
                "headers": [],
            },
        }
        await served.app(scope, receive, send)
        assert sent[0]["status"] in {401, 404, 405, 422, 307, 429}, path
    assert series(runtime) <= before + 100  # classes of status and methods with their buckets, never paths
    assert len(runtime.metrics._http) <= known + 40
