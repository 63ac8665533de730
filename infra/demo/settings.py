"""How the demo's parts are set up."""

import msgspec

from teachback.infra.demo.script import Script
from teachback.infra.kafka.ports import free_ports
from teachback.infra.settings import ModelsConfig

REPLAYS = 24
SPLIT_SALT = "harbour-demo-8"  # known, so that the demo locks away the same facts every time,
AUDIT_SALT = "harbour-demo-8"  # and draws the same audits


def settings_for(script: Script, models: ModelsConfig, data_check: bool = True) -> dict[str, dict[str, object]]:
    """The demo's configuration: free ports, quick shards, a recipe for few rows, a threshold within reach.

    `models` are the user's own, where they have any.
    """
    n = len(script.traffic)
    chatbot, desk = free_ports(2)
    return {
        "models": {name: str(path.absolute()) for name, path in msgspec.structs.asdict(models).items() if path},
        "chatbot": {"port": chatbot, "system_prompt": script.system_prompt, "max_new_tokens": 48, "batch": 32},
        "desk": {"port": desk},
        "shards": {"max_rows": 200, "max_age_seconds": 2.0},
        "again": {"most": REPLAYS},
        "trainer": {
            "label_threshold": max(24, round(0.52 * n)),
            "min_clusters": 10,
            "min_eval": min(40, n // 6),
            "eval_share": 0.33,
            "split_salt": SPLIT_SALT,
            "data_check": data_check,
            "recipe": {"epochs": 2.0, "learning_rate": 1e-3, "retain": 0.0, "batch": 4, "accumulation": 2},
            # Some fifty locked answers can't tell a loss of one figure in twenty from none.
            "gate": {"max_figures_loss": 0.1, "generate_rows": 48, "max_new_tokens": 48},
        },
    }
