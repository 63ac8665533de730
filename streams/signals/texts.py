"""How much of a long text is embedded: about as much as a sentence embedder reads (256 tokens of English)."""

MOST = 1200  # characters


def answer_text(answer: str) -> str:
    """The answer's beginning, without space around it."""
    return answer.strip()[:MOST]


def question_text(question: str) -> str:
    """The question without space around it; of a long one its beginning and its end."""
    bare = question.strip()
    return bare if len(bare) <= MOST else f"{bare[: MOST // 2]} {bare[-MOST // 2 :]}"
