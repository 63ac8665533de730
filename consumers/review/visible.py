"""Text that others wrote, made fit to be shown and to be sent.

A terminal obeys control characters, and prompt_toolkit writes what stands between two of them without looking at it;
characters that turn the direction of writing make a text read as what it is not. Whatever a customer, a bot, a
colleague or a desk wrote goes through `visible` on its way to the screen, and only there: what is edited and sent
stays as it is.
"""

import re

C1 = range(0x80, 0xA0)
TURNS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # Unicode's overrides, embeddings and isolates of direction
SURROGATES = range(0xD800, 0xE000)
ODD = 0xFFFD  # �, what stands for a character that has no picture

# One character for one, so that a cursor in the text stands where it stands in its picture.
GLYPHS = (
    {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
    | {0x7F: 0x2421}
    | dict.fromkeys((*C1, *TURNS, *SURROGATES), ODD)
)


def visible(text: str) -> str:
    """The text with a glyph for each character that would act instead of being seen; line ends and tabs stay."""
    return text.replace("\r\n", "\n").translate(GLYPHS)


def encodable(text: str) -> str:
    """The text without lone surrogates: prompt_toolkit makes them of bytes that are no UTF-8, and JSON has none."""
    return re.sub("[\ud800-\udfff]", chr(ODD), text)
