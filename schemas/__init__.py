"""The events and the topics: the only thing that every part of teachback shares.

Read in this order: `exchange` (what a chatbot emits), `scored`, `review`, `label`, `training`, `policy`, `calibration`
(what the loop makes of it), then `topics` (where each event lives), `ids` (why the same input is the same event),
`wire` (bytes, headers, clients) and `log` (how a local view is rebuilt).
"""

import msgspec

from teachback.schemas.calibration import Calibration, Certificate, Quality, RiskPoint, Step, Term
from teachback.schemas.event import Event
from teachback.schemas.exchange import Exchange, Feedback, Message, Passage, TokenLogprob, TopLogprob
from teachback.schemas.label import Label, ShardCommitted, SplitAssigned
from teachback.schemas.policy import Policy, Promise, Rule
from teachback.schemas.review import Judgment, Outcome, ReviewRequest, Rubric, Verdict
from teachback.schemas.scored import Scored
from teachback.schemas.training import AdapterAlias, AdapterRegistered, Base, DatasetRef, GateRecord, GateTest, Run

EVENTS: tuple[type[Event], ...] = (
    Exchange,
    Feedback,
    Scored,
    ReviewRequest,
    Verdict,
    Outcome,
    Label,
    ShardCommitted,
    SplitAssigned,
    Run,
    AdapterRegistered,
    AdapterAlias,
    Policy,
    Calibration,
    Certificate,
)

# msgspec 0.22 works a struct's types out at its first use, and two threads that do so at once crash the interpreter. So
# it is done here, while only one thread can be importing us.
for _kind in EVENTS:
    msgspec.json.Decoder(_kind)

__all__ = [
    "EVENTS",
    "AdapterAlias",
    "AdapterRegistered",
    "Base",
    "Calibration",
    "Certificate",
    "DatasetRef",
    "Event",
    "Exchange",
    "Feedback",
    "GateRecord",
    "GateTest",
    "Judgment",
    "Label",
    "Message",
    "Outcome",
    "Passage",
    "Policy",
    "Promise",
    "Quality",
    "ReviewRequest",
    "RiskPoint",
    "Rubric",
    "Rule",
    "Run",
    "Scored",
    "ShardCommitted",
    "SplitAssigned",
    "Step",
    "Term",
    "TokenLogprob",
    "TopLogprob",
    "Verdict",
]
