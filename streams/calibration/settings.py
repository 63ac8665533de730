"""What the calibration process needs to know."""

from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier
from teachback.schemas.wire import Cluster


class CalibrationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the calibration process: `chat.scored` and `review.outcomes` in, `loop.calibration` out."""

    bot: Identifier
    cluster: Cluster
    first_labels: Annotated[int, Meta(ge=1, description="Labels before the first fit.")] = 50
    every_seconds: Annotated[float, Meta(gt=0, description="How often it looks whether something is due.")] = 1.0
    transaction_seconds: Annotated[float, Meta(gt=0)] = 10.0
