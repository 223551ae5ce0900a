"""What somebody means by a word: settings (and whatever else is described) by their names, their descriptions and the words of the field.

Ranked by BM25 (Robertson and Zaragoza 2009, eq. 3.15) over weighted fields, with words cut to their stems. No network and no library: there
are some hundred short entries, and what is found has to be the same everywhere (decision 0067).
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from vr180_ofx.settings.traits import Section, Traits
from vr180_ofx.settings.words import WORDS

#: How much of a text is read: what is longer was not typed by somebody who looks for a setting.
_LONGEST = 100
#: BM25's saturation of a word that is there several times, its usual value. Lengths are not weighed (its b is 0): an entry with more
#: words of the field is not less meant by one of them.
_K1 = 1.2
#: What a word counts by where it stands: names and words of the field were chosen for this, descriptions tell of other things, too. Chosen.
_NAME, _WORDS, _VALUES, _TEXT = 3.0, 3.0, 2.0, 1.0
#: A word of at least so many letters also stands for those that begin with it ("crypto"), for less than it would itself.
_LEAST_BEGINNING, _BEGINNING = 4, 0.7
#: A word that nobody knows is taken for a known one that is so much alike (difflib's ratio: one letter in five), for less.
_ALIKE, _TYPED = 0.8, 0.6
#: What is found has to reach this share of the best, to be worth reading.
_SHARE = 0.25
#: Who looks for something seldom means what this version does nothing with.
_WITHOUT_EFFECT = 0.5
#: Words that say nothing of what is meant.
_EMPTY = frozenset(re.findall(
    "[a-z]+",
    "a an the of to in on at by for from with and or is are be it its as that this which what how do does i my me we you your no not so "
    "too get make want need set use can when where there than only",
))  # fmt: skip
#: Endings that change nothing of what is meant, with what they leave; the first one that fits. After Harman's S stemmer (1991).
_ENDINGS = (
    ("sses", "ss"), ("ies", "y"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("ss", "ss"), ("us", "us"), ("s", ""),
)  # fmt: skip
#: What is written in two ways.
_SPELLING = ((re.compile("our(?=$|s|ed|ing)"), "or"), (re.compile("is(?=e|ing|ation)"), "iz"), (re.compile("^grey"), "gray"))


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be meant. name: as it is called, with dots and underscores. words: phrases of the field. values: what it can be.
    text: its description. likely: what its score is multiplied by.
    """

    name: str
    _: KW_ONLY
    words: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    text: str = ""
    likely: float = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """score: how sure it is that it is meant, comparable within one search."""

    name: str
    score: float


def stem(word: str) -> str:
    """A word without what changes nothing of its meaning: "colours" and "color" are one, and so are "eroding" and "erode"."""
    for pattern, instead in _SPELLING:
        word = pattern.sub(instead, word)
    if len(word) > 3:
        for ending, left in _ENDINGS:
            if word.endswith(ending):
                word = word.removesuffix(ending) + left
                break
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 3 and re.search("[aeiouy]", rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
            break
    if len(word) > 3 and word[-1] in "ey":
        word = word[:-1] + ("i" if word[-1] == "y" else "")
    return word


def tokens(text: str) -> list[str]:
    """The stems of a text's words, without those that say nothing, unless there are no others."""
    words = [w for w in re.findall(r"[a-z0-9]+", text.lower()) if len(w) > 1]
    telling = [w for w in words if w not in _EMPTY]
    return [stem(w) for w in telling or words]


class Index:
    """Entries, to be searched."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._counts: dict[str, dict[str, float]] = {}
        self._phrases: dict[str, list[list[str]]] = {}
        self._likely: dict[str, float] = {}
        for e in entries:
            counts: dict[str, float] = defaultdict(float)
            parts = ((_NAME, [e.name]), (_WORDS, e.words), (_VALUES, e.values), (_TEXT, [e.text]))
            for weight, texts in parts:
                # a word that a field has twice says no more than one that it has once
                for word in dict.fromkeys(t for text in texts for t in tokens(text)):
                    counts[word] += weight
            self._counts[e.name] = counts
            self._phrases[e.name] = [tokens(w) for w in (e.name.rpartition(".")[2], *e.words)]
            self._likely[e.name] = e.likely
        self._spread = Counter(word for counts in self._counts.values() for word in counts)

    def find(self, query: str, most: int = 5) -> list[Found]:
        """What is meant, the likeliest first; nothing where no word of ``query`` is known, nor like one that is."""
        asked = tokens(query[:_LONGEST])
        scores: dict[str, float] = defaultdict(float)
        for word in dict.fromkeys(asked):
            best: dict[str, float] = {}
            for known, share in self._meant(word).items():
                rare = math.log(1 + (len(self._counts) - self._spread[known] + 0.5) / (self._spread[known] + 0.5))
                for name, counts in self._counts.items():
                    tf = counts.get(known, 0.0)
                    best[name] = max(best.get(name, 0.0), share * rare * tf * (_K1 + 1) / (tf + _K1))
            for name, value in best.items():
                scores[name] += value
        for name, phrases in self._phrases.items():
            # whoever says just that means it
            scores[name] *= self._likely[name] * (1 + max((_overlap(asked, p) for p in phrases), default=0.0))
        ranked = sorted(scores.items(), key=lambda item: -item[1])
        least = _SHARE * ranked[0][1] if ranked else 0.0
        return [Found(name, round(score, 4)) for name, score in ranked[:most] if score > 0 and score >= least]

    def _meant(self, word: str) -> Mapping[str, float]:
        """Known words that ``word`` may stand for, and how much each counts."""
        known = {word: 1.0} if word in self._spread else {}
        if len(word) >= _LEAST_BEGINNING:
            known |= {k: _BEGINNING for k in self._spread if k != word and k.startswith(word)}
        if not known:
            # "premultiplication": a known word is its beginning
            known = {k: _BEGINNING for k in self._spread if len(k) >= _LEAST_BEGINNING and word.startswith(k)}
        if not known and len(word) >= _LEAST_BEGINNING:
            known = dict.fromkeys(difflib.get_close_matches(word, list(self._spread), 2, _ALIKE), _TYPED)
        return known


def _overlap(asked: Sequence[str], phrase: Sequence[str]) -> float:
    """1 where both are the same words in order, one half where the phrase is part of what was asked for and longer than a word."""
    if list(asked) == list(phrase):
        return 1.0
    n = len(phrase)
    inside = n > 1 and any(list(asked[k : k + n]) == list(phrase) for k in range(len(asked) - n + 1))
    return 0.5 if inside else 0.0


@functools.cache
def _index(known: tuple[tuple[str, type[Section]], ...]) -> Index:
    return Index(entries(dict(known)))


def entries(known: Mapping[str, type[Section]]) -> list[Entry]:
    """Every setting of these sections."""
    out = []
    for name, section in known.items():
        for key, field in section.model_fields.items():
            words = WORDS.get(name, {}).get(key, "")
            phrases = tuple(w.strip() for w in words.split(",") if w.strip())
            values = tuple(v for v in getattr(field.annotation, "__args__", ()) if isinstance(v, str))
            likely = 1.0 if Traits.of(field).effect else _WITHOUT_EFFECT
            out.append(Entry(f"{name}.{key}", words=phrases, values=values, text=field.description or "", likely=likely))
    return out


def find(query: str, known: Mapping[str, type[Section]], most: int = 5) -> list[str]:
    """The settings (``section.key``) that ``query`` may mean, the likeliest first."""
    return [f.name for f in _index(tuple(known.items())).find(query, most)]
