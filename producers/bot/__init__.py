"""The reference chatbot: a causal language model behind an OpenAI-compatible API, which emits its own exchanges.

    request → `server` → admitted, adapter pinned → `batcher` → `model` → answer → `emit` → chat.exchanges
                                                       ↑
                         models.adapters → `champion` ─┘ swaps between generations

It exists so that the loop can turn on one machine, and as the pattern for connecting another server: follow
`models.adapters`, pin the adapter when a request is admitted, name it in every exchange.
"""
