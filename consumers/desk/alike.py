"""When two requests ask people the very same thing: a fingerprint, so that no text is kept twice.

It covers the adapter, the answer, and every message that the bot was given, with who said it: the question alone is
not enough, for "and its price?" means another thing after other messages. Texts count as they are read, not as they
are typed: Unicode's compatibility forms, upper and lower case, and white space make no difference (so 10⁵ and 105, or
MW and mW, make none either); any other character does. Passages, topic and score do not count.
"""

import hashlib
import unicodedata

from teachback.schemas.review import ReviewRequest

BYTES = 16


def fingerprint(request: ReviewRequest) -> bytes:
    """BLAKE2b over the normalised parts, each with its length before it, so that no two lists of parts run together."""
    digest = hashlib.blake2b(digest_size=BYTES)
    said = (part for message in request.messages for part in (message.role, normalised(message.content)))
    for part in (request.adapter, normalised(request.answer), *said):
        data = part.encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()


def normalised(text: str) -> str:
    """NFKC, case folded, each run of white space one space, none at the ends. Twice is as once."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
