"""Golden probabilities of n-gram models of characters with Witten and Bell's back-off, counted in dictionaries.

  p(s | h) = (c(h s) + d(h) p(s | h')) / (c(h) + d(h)),  h' = h without its first symbol,  p(s | nothing before h) = 1 / V

c(h) is how often something follows h, d(h) how many different symbols do. Of each case: the symbols of the text and of the
held-out text, V, the order n (symbols that are seen before the one predicted), p of each held-out symbol given those before
it, from the beginning of the held-out text on, and the sum of their -log2.

`python3 tools/golden/n_gram.py` writes Tests/LanguageModelsTests/Fixtures/n-gram.json.
"""

import math
from collections import Counter, defaultdict

from fixtures import destination, write_json
from splitmix import Random

LINES = ("the cat sat on the mat.\nthe dog sat on the cat, and the cat ran.\na man and a dog ran to the man.\n"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa the end")
HELD_OUT = "the man sat on a dog, and ran. aaaa zq\nthe end of the cat"


def probabilities(text, held_out, size, order):
    followers = defaultdict(Counter)
    for place, symbol in enumerate(text):
        for length in range(min(order, place) + 1):
            followers[tuple(text[place - length:place])][symbol] += 1
    result = []
    for place, symbol in enumerate(held_out):
        p = 1 / size
        for length in range(min(order, place) + 1):
            seen = followers.get(tuple(held_out[place - length:place]))
            if not seen:
                break
            p = (seen[symbol] + len(seen) * p) / (sum(seen.values()) + len(seen))
        result.append(p)
    return result


def case(name, text, held_out, size, order):
    p = probabilities(text, held_out, size, order)
    return {"name": name, "text": text, "held_out": held_out, "symbols": size, "order": order, "probabilities": p,
            "bits": -sum(map(math.log2, p))}


def main():
    characters = sorted(set(LINES + HELD_OUT))
    def encoded(text):
        return [characters.index(character) for character in text]
    random = [int(value * 5) for value in Random(1234, 450).uniform(600)]
    cases = [case(f"lines, order {order}", encoded(LINES), encoded(HELD_OUT), len(characters), order)
             for order in (0, 1, 2, 4, 9)]
    cases += [case(f"five symbols at random, order {order}", random[:500], random[500:], 6, order) for order in (1, 3)]
    cases.append(case("one symbol", [0] * 60, [0] * 8 + [1, 0], 2, 5))
    cases.append(case("nothing", [], [0, 1, 1], 3, 4))
    write_json(destination("LanguageModelsTests", "n-gram.json"), cases)


if __name__ == "__main__":
    main()
