"""The process: runs until SIGTERM or SIGINT, then exits cleanly; anything unexpected raises."""

import signal
from threading import Event
from types import FrameType

from teachback.streams.feedback.process import Process
from teachback.streams.feedback.settings import FeedbackSettings


def run(settings: FeedbackSettings) -> None:
    """Join feedback until told to stop. Raises FeedbackError, WireError or KafkaException when it cannot go on."""
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    process = Process(settings)
    try:
        while not stop.is_set():
            process.step()
    finally:
        process.close()
