"""After a promotion, the questions whose answers people edited are asked again, of the new adapter.

    models.adapters (promoted) + labels.approved (edited, live) → the chatbot → chat.exchanges with `source=replay`

The chatbot emits the exchanges, and scoring sends every replay to review: so people see whether what they corrected is
right now. A question asked again has an id made of the old exchange and the new adapter; asking twice changes nothing.
"""
