"""The process: runs until SIGTERM or SIGINT, then exits cleanly; anything unexpected raises."""

import signal
from threading import Event
from types import FrameType

from teachback.streams.consensus.agreement import Agreement
from teachback.streams.consensus.embedder import SentenceEmbedder
from teachback.streams.consensus.processor import Processor
from teachback.streams.consensus.settings import ConsensusSettings


def run(settings: ConsensusSettings) -> None:
    """Process verdicts until told to stop. Raises ConsensusError, WireError or KafkaException when it cannot go on."""
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    sameness = Agreement(SentenceEmbedder(settings.embedder), settings.same_meaning)
    processor = Processor(settings, sameness)
    try:
        while not stop.is_set():
            processor.step()
    finally:
        processor.close()
