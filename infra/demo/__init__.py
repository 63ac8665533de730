"""`teachback demo`: the loop turned once, on this machine, by itself, in front of whoever watches.

    customers (`traffic`) → chatbot → Kafka → scoring → desk ← scripted reviewers (`people`)
      → consensus → shards → trainer → gate → chatbot with the new adapter → the edited questions again

`story` tells it in order; `counts` follows the topics, `memory` the processes; `show` draws both; `report` writes what
happened, and refuses to say anything that the log and the table don't confirm.
"""
