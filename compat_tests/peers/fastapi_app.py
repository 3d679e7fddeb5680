"""An application of FastAPI, which looks for the types of parameters in annotations: so nothing is postponed here."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any

import fastapi
import pydantic
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse

seen: list[Any] = []


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    seen.append("startup")
    yield {"database": "connected"}
    seen.append("shutdown")


app = fastapi.FastAPI(lifespan=lifespan)
app.add_middleware(CORSMiddleware, allow_origins=["http://a.example"])


class Item(pydantic.BaseModel):
    name: str
    price: float = 1


def user(authorization: str | None = fastapi.Header(None)) -> str:
    if authorization is None:
        raise fastapi.HTTPException(401, "who?")
    return authorization


@app.get("/new/items/{number}")
async def item(number: int, request: fastapi.Request, q: str = "") -> Any:
    assert request.client is not None
    return {"number": number, "q": q, "database": request.state.database, "client": request.client.host}


@app.post("/new/items", status_code=201)
async def create(item: Item, background: fastapi.BackgroundTasks, who: str = fastapi.Depends(user)) -> Any:
    background.add_task(seen.append, f"{who} made {item.name}")
    return item


@app.get("/new/thread")
def blocking() -> Any:
    return {"main": threading.current_thread() is threading.main_thread()}


@app.get("/new/stream")
async def stream() -> Any:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield b"%d\n" % number

    return StreamingResponse(pieces(), media_type="text/plain")


@app.get("/new/broken")
async def broken() -> Any:
    raise KeyError("on purpose")


@app.websocket("/new/socket")
async def socket(connection: fastapi.WebSocket) -> None:
    await connection.accept()
    with contextlib.suppress(fastapi.WebSocketDisconnect):
        while True:
            await connection.send_json({"got": await connection.receive_text()})
    seen.append("socket over")
