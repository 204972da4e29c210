"""Puts a server together and runs it until the editor is gone."""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from functools import partial

from dcomplete.errors import UserError, system_words
from dcomplete.settings import ModelSettings, Settings
from dcomplete_lsp import acceptance, inspection, logs, resting, suggesting
from dcomplete_lsp.arena import Arena
from dcomplete_lsp.backend import Connect, connect
from dcomplete_lsp.engine_care import EngineCare
from dcomplete_lsp.lifecycle import Lifecycle
from dcomplete_lsp.options import Options
from dcomplete_lsp.server import Server
from dcomplete_lsp.thrift import map_large_texts
from dcomplete_lsp.transport import (
    Inbox,
    Outbox,
    read_in_thread,
    read_socket,
    take_standard_streams,
)

_GRACE_S = 0.7  # for the engine's connection to close
_HEAD = b"content-"  # what an editor says first; a web page's request begins with its method


def serve(options: Options) -> int:
    """Run until the editor is gone; returns the exit status that the protocol asks for."""
    logs.configure(options.log_level, options.log_file)
    if not options.in_process:
        map_large_texts()
    base = Settings(model=ModelSettings(name=options.model))
    return run(options, base, partial(connect, in_process=options.in_process))


def run(options: Options, base: Settings, connector: Connect) -> int:
    """Run a server over the transport that `options` name."""
    server, care = assemble(connector, base)
    if options.host is not None:
        code = asyncio.run(_over_tcp(server, care, options.host, options.port))
    else:
        source, sink = take_standard_streams()
        code = asyncio.run(_over_stdio(server, care, source, sink))
    return code


def assemble(connector: Connect, base: Settings) -> tuple[Server, EngineCare]:
    """A server with every feature registered."""
    server = Server(connector, base)
    care = EngineCare()
    Lifecycle(care).register(server)
    care.register(server)
    suggesting.register(server)
    acceptance.register(server)
    Arena().register(server)
    inspection.register(server)
    resting.register(server)
    return server, care


async def _over_stdio(server: Server, care: EngineCare, source: int, sink: int) -> int:
    inbox, outbox = Inbox(), Outbox(sink)
    server.protocol.set_writer(outbox)
    read_in_thread(source, inbox.put)
    await _converse(server, care, inbox)
    outbox.close()
    return server.exit_code


async def _over_tcp(server: Server, care: EngineCare, host: str, port: int) -> int:
    """Serve one connection: a server belongs to one editor.

    Any web page can connect to a port of this machine: what does not speak our protocol is sent away.
    """
    taken: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    taken = asyncio.get_running_loop().create_future()
    inbox = Inbox()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readexactly(len(_HEAD))
        if taken.done() or head.lower() != _HEAD:
            writer.close()
        else:
            inbox.put(head)
            taken.set_result((reader, writer))

    try:
        listener = await asyncio.start_server(take, host, port)
    except OSError as error:
        known = error.errno is not None and error.errno > 0  # asyncio's own words hold the address
        why = system_words(error.errno) if known and error.errno else error.strerror
        why = why or "this machine has no such address"  # asyncio says so in one piece
        raise UserError(f"Cannot listen on {host}:{port}: {why}.") from None
    place = listener.sockets[0].getsockname()
    print(f"dcomplete listens on {place[0]}:{place[1]}", file=sys.stderr, flush=True)
    reader, writer = await taken
    listener.close()
    server.protocol.set_writer(writer)
    reading = asyncio.create_task(read_socket(reader, inbox.put))
    await _converse(server, care, inbox)
    reading.cancel()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return server.exit_code


async def _converse(server: Server, care: EngineCare, inbox: Inbox) -> None:
    """Handle messages until the end, then let go of the engine, within a second."""
    server.inbox = inbox
    await inbox.deliver(server.protocol)
    force_exit(server.exit_code)
    await care.close()
    with suppress(Exception):
        await asyncio.wait_for(server.close(), _GRACE_S)


def force_exit(code: int, after_s: float = 1.0) -> None:
    """End the process even if a thread, such as one that runs a model, does not stop."""
    timer = threading.Timer(after_s, os._exit, (code,))
    timer.daemon = True
    timer.start()
