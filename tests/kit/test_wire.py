"""Frames at the other end than the keeper's: what a client does with what is none."""

import asyncio
from unittest.mock import Mock

import pytest

from crm.kit import wire


async def test_a_frame_over_the_limit_ends_the_connection() -> None:
    transport, protocol = Mock(spec=asyncio.Transport), wire.FrameProtocol()
    protocol.connection_made(transport)

    protocol.data_received((wire.FRAME_LIMIT + 1).to_bytes(4) + b"x")

    transport.abort.assert_called_once_with()


def test_frames_are_taken_by_who_knows_what_they_mean() -> None:
    with pytest.raises(NotImplementedError):
        wire.FrameProtocol().data_received(b"\0\0\0\1x")
