"""METEOR of made-up texts with made-up data, by METEOR 1.5 itself (needs Java 11 or later, with its compiler, and pycocoevalcap).

    python3 tools/golden/meteor.py

Writes into Tests/CaptionMetricsTests/Fixtures/meteor data in the form of the reference implementation's, none of it its
own: `unpacked/` (function words, prefixes, irregular forms, sets of synonyms), the same as `meteor-1.5.jar`, and
`data/paraphrase-en.gz`; `meteor.json`: `samples`, each with `candidate`, `references`, `words` (those of the candidate),
`statistics` (the reference's line) and `score`, and the `score` of all; `stems.tsv`: made-up words and their stems.
"""

import gzip
import json
import pathlib
import random
import subprocess
import tempfile
import zipfile

import pycocoevalcap.meteor.meteor
from fixtures import destination

JAR = pathlib.Path(pycocoevalcap.meteor.meteor.__file__).parent / "meteor-1.5.jar"

FUNCTION = ["a", "the", "of", "in", "is", "on", "and", ",", ".", "'s", "two", "with"]
PREFIXES = ["# made up", "Mr", "v", "St", "No #NUMERIC_ONLY#", "p #NUMERIC_ONLY#", ""]
EXCEPTIONS = {"goose": "geese", "man": "men menfolk", "run": "ran running", "sit": "sat", "ox": "oxen", "be": "men"}
SYNSETS = {"dog": "1 2", "hound": "2", "pup": "00000003 1", "run": "10", "jog": "10 11", "race": "11", "goose": "20",
           "bird": "20 21", "man": "30", "guy": "30", "be": "31", "exist": "31", "box": "40", "crate": "40", "play": "50",
           "frolic": "50", "city": "60", "town": "60", "late": "70", "tardy": "70", "glass": "80", "lens": "80", "ox": "90"}
PARAPHRASES = [
    ("is sitting", "sits"), ("is sitting", "seated"), ("sits", "is sitting"), ("sits", "on"), ("sits on", "is sitting on a"),
    ("a couple of", "two"), ("two", "a couple of"), ("two", "a pair of"), ("two dogs", "dogs"), ("in front of", "before"),
    ("before", "in front of"), ("the man", "he"), ("man", "he"), ("man", "guy"), ("he", "the man"), ("dog runs", "running dog"),
    ("dog runs in", "dog in"), ("snow", "white snow"), ("white snow", "snow"), ("the snow", "snow"), ("on the", "on a"),
    ("in the snow", "outside in winter"), ("outside", "in the snow"), ("plays", "is having fun"), ("it", "the"), ("the", "it"),
    ("a", "the"), ("the", "a"), ("dog", "animal"), ("the dog", "animal"), ("animal", "dog"), ("nobody says this", "nor that"),
    ("don 't", "do not"), ("1,000", "a thousand"), ("é", "e"), ("of a", "of the"), ("runs", "is running"), ("is running", "runs")]
WORDS = ("a the of in is on and two dog dogs hound pup run runs running ran jog jogs race races goose geese bird man men guy "
         "he be exists box boxes crate crates plays frolics city cities town later latest tardy glass lens sits sitting seated "
         "snow white winter outside couple pair before front animal it having fun happily happy happiness").split()
ODD = ["'", "''", "`", "‘", "’", "“", "”", "–", "—", "-", "--", "---", ".", "..", "...", "....", ",", ",,", "1,000", "3.5",
       "U.S.", "U.S.-based", "Mr.", "No.", "p.", "v.", "12", "1990's", "don't", "dogs'", "O'Brien", "é", "É", "İ", "Σ", "ß",
       "\u00a0", "\u2003", "\u3000", "😀", "日本", "собака", "e.g.", "!", "?", "(", ")", "<s>", "&amp;", "$", "#1", "%", "\t",
       "\x0b", "\x01", "can't", "it's", "'tis", "s'", "'s", "x'y", "5's", "a-b-c", "-a", "a-", "well-known", "...a", "a...",
       "a.", "St.", "“the”", "e\u0301", "ž", "c0", "an", "oxen", "menfolk"]


def write_data(folder: pathlib.Path) -> None:
    files = {
        "function/english.words": "\n".join(FUNCTION) + "\n",
        "nonbreaking/english.prefixes": "\n".join(PREFIXES) + "\n",
        "synonym/english.exceptions": "".join(f"{base}\n{forms}\n" for base, forms in EXCEPTIONS.items()),
        "synonym/english.synsets": "".join(f"{word}\n{sets}\n" for word, sets in SYNSETS.items()),
        # METEOR looks for the file only.
        "synonym/english.relations": "",
    }
    with zipfile.ZipFile(folder / "meteor-1.5.jar", "w") as archive:
        for name, text in files.items():
            path = folder / "unpacked" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            # One as it is, the others packed.
            method = zipfile.ZIP_STORED if name.startswith("function") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), text, compress_type=method)
    (folder / "data").mkdir(exist_ok=True)
    lines = "".join(f"0.{n + 1}\n{phrase}\n{other}\n" for n, (phrase, other) in enumerate(PARAPHRASES))
    (folder / "data/paraphrase-en.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))


def samples(rng: random.Random) -> list:
    def text(most: int, odd: float, words: list = WORDS) -> str:
        parts = [rng.choice(ODD) if rng.random() < odd else rng.choice(words) for _ in range(rng.randrange(1, most))]
        return "".join(part if rng.random() < 0.1 else part + " " for part in parts).strip() or "a"

    def shuffled(text: str) -> str:
        words = text.split(" ")
        cut = rng.randrange(len(words))
        return " ".join(words[cut:] + words[:cut])

    found = [("", ["a dog"]), ("a dog", ["", ""]), ("", [""]), ("a dog", ["a dog"]), ("c0 dog", ["an dog"]),
             ("the the the the the the", ["the man is on the box", "it is the box the man"]),
             (" ".join(["a dog and"] * 30), ["a dog and a man and a box"])]
    for n in range(120):
        found.append((text(16, 0), [text(16, 0) for _ in range(rng.randrange(1, 5))]))
        found.append((text(12, 0.5), [text(12, 0.5) for _ in range(rng.randrange(1, 3))]))
        own = text(14, 0.1)
        found.append((own, [shuffled(own), shuffled(own) + " " + text(5, 0)]))
    # Many alignments are as good as each other, more than the beam keeps.
    for n in range(30):
        few = rng.sample(WORDS, 5)
        found.append((text(70, 0, few), [text(70, 0, few), text(70, 0, few)]))
    return found


def stem_words(rng: random.Random) -> list:
    suffixes = ("' 's s es ies ied ed edly ing ingly eed eedly y ational tional enci anci izer ization alism aliti alli fulness "
                "ousli iveness iviti biliti bli ogi fulli lessli li alize icate ative ement ion sion tion e l ll us ss sses").split()
    exceptions = ("skis skies dying lying tying idly gently ugly early only singly sky news howe atlas cosmos bias andes inning "
                  "outings canning herring earrings proceed exceeded succeed 's a yy ''ed").split()
    words = set(WORDS) | set(exceptions)
    for _ in range(1500):
        beginning = rng.choice(["", "'", "gener", "commun", "arsen", "y", "str"])
        middle = "".join(rng.choice("aeiouybdlrtsxw") for _ in range(rng.randrange(0, 5)))
        words.add(beginning + middle + rng.choice(suffixes) + (rng.choice(suffixes) if rng.random() < 0.3 else ""))
    return sorted(words)


# What METEOR's classes make of lines: their words, or their stems.
ASK = """
import java.io.*;
public class Ask {
  public static void main(String[] what) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    org.tartarus.snowball.ext.englishStemmer stemmer = new org.tartarus.snowball.ext.englishStemmer();
    for (String line; (line = in.readLine()) != null; ) {
      if (what[0].equals("stems")) {
        stemmer.setCurrent(line);
        stemmer.stem();
        out.println(stemmer.getCurrent());
      } else {
        String text = edu.cmu.meteor.util.Normalizer.normalizeLine(line, edu.cmu.meteor.util.Constants.LANG_EN, true);
        java.util.StringTokenizer words = new java.util.StringTokenizer(text.toLowerCase());
        StringBuilder all = new StringBuilder();
        while (words.hasMoreTokens()) all.append(words.nextToken()).append(" ");
        out.println(all.toString().trim());
      }
    }
    out.flush();
  }
}
"""


def ask(what: str, lines: list, classpath: str) -> list:
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "Ask.java"
        source.write_text(ASK)
        answer = subprocess.run(["java", "-cp", classpath, source, what], input="\n".join(lines) + "\n",
                                stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    return answer.split("\n")[:len(lines)]


def main() -> None:
    folder = destination("CaptionMetricsTests", "meteor/meteor.json").parent
    write_data(folder)
    # The first place of the class path that has a resource gives it.
    classpath = f"{folder}/unpacked:{JAR}"
    rng = random.Random(15)
    found = samples(rng)
    lines = [" ||| ".join(["SCORE", *references, candidate]) for candidate, references in found]
    command = ["java", "-cp", classpath, "Meteor", "-", "-", "-stdio", "-l", "en", "-norm", "-a", folder / "data/paraphrase-en.gz"]

    def meteor(lines: list) -> list:
        return subprocess.run(command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, encoding="utf-8",
                              check=True).stdout.splitlines()

    statistics = meteor(lines)
    assert len(statistics) == len(found)
    scores = [float(line) for line in meteor([" ||| ".join(["EVAL", *statistics])])]
    words = ask("words", [candidate for candidate, _ in found], classpath)
    golden = {"score": scores[-1], "samples": [
        {"candidate": candidate, "references": references, "words": [word for word in words.split(" ") if word], "statistics": line, "score": score}
        for (candidate, references), words, line, score in zip(found, words, statistics, scores)]}
    with open(folder / "meteor.json", "w") as file:
        file.write('{"score": %r, "samples": [\n' % golden["score"])
        file.write(",\n".join(json.dumps(sample) for sample in golden["samples"]) + "\n]}\n")
    stems = stem_words(rng)
    pairs = zip(stems, ask("stems", stems, classpath))
    (folder / "stems.tsv").write_text("".join(f"{word}\t{stem}\n" for word, stem in pairs))


if __name__ == "__main__":
    main()
