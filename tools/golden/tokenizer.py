"""Captions made up to be hard to tokenize, with the words coco-caption's tokenizer gives (needs Java).

    python3 tools/golden/tokenizer.py

Writes Tests/LanguageTests/Fixtures/tokenizer.tsv: caption, tab, words between spaces (no-break spaces are inside of words). Each caption is read between
two lines that start with "A", because that tokenizer looks at the next line to find where a sentence ends.
"""

import contextlib
import sys

from fixtures import destination
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

SENTENCES = """\
A dog runs through the snow.
A dog runs through the snow
a dog , a cat and two birds .
A man doesn't wear a hat because he can't find it.
The kids won't eat and they don't care; isn't that sad?
IT'S A DOG'S LIFE AND WE DON'T MIND
He's sure she'll say they've seen what I'd hidden, and I'm glad you're here.
The dogs' bowls and James' hat are on the men's bench.
Someone couldn't've known; I'd've asked.
Rock'n'roll, rock 'n' roll and drum 'n bass
It is five o'clock at O'Brien's pub, ma'am.
A plate of hors d'oeuvres and s'mores
y'all c'mon and get 'em 'cause they're free
'Tis the season, 'twas the night
'tis 'twas 'til dawn
The old hat is hers'.
She cannot swim, and he can not either. Cannot!
I'm gonna run, you gotta see, they wanna play, gimme that, lemme go.
gonna's cannot's wanna-be Gonna.
dunno whatcha whaddya coulda shoulda kinda
A boy in a t-shirt, a man in a T-Shirt and a well-known mother-in-law
a 10-year-old boy and a two-year-old girl
An X-ray, an e-mail, a 3-D film, a B-52 and a 747-400
a crème-brûlée-coloured wall near a café in São Paulo
re- and un-opened boxes - stacked
a dog -running- in -the yard
A man--tall--stands -- alone --- here ---- now ----- then
a red—white–blue flag — waving – high
Wait... what .. is .... this ..... thing
hello...there hello..there hello. . . world
Then it stopped…
"Hello," said the man, "look at 'this' sign."
The sign says ``STOP'' and `GO`
The sign says “Stop” and ‘Go’, don’t it’s the dog’s
a sign saying "don't walk" in "New York"
a "quoted" "word""s"
A baby in a beanie that says "I love "
He lives on Main St. near 5th Ave. and Sunset Blvd.
Mr. Smith, Mrs. Jones, Ms. Lee and Dr. No meet Prof. X and St. Nick
Sammy Davis Jr. and Ken Griffey Sr. play ball
The U.S. flag, a U.K. flag and a U.S.A. shirt
A man in the U.S. Navy at 5 p.m. or 6 a.m. in Washington D.C.
The bus says U.S. The train does not.
plan b. The dog. The b. dog, plan b.
J. Smith and A. B. Jones
vitamin c. and vitamin d.
A T.V. and a TV, an R.V. and an RV, a s.c.u.b.a. diver, u.s.a and p.m
U.S.-based a.m.-p.m. St.-based mid-a.m.
No. 7 plays, no. 5 waits, No.9 rests. There is no. more
fig. 3 and Fig. a; art. 5; pp. 12; vol. 5; ch. 3
Acme Inc., Acme Co. and Acme Ltd. vs. Acme Corp.
Jan. Feb. mar. Apr. sept. Oct. tues. Thu. Fri. sat. sun.
A Mass. man with mass. and an Ill. man who is ill. today
mfg. Mfg. MFG. pty.
etc. etc.
dogs, cats, birds, etc.
dog.,cat dog., dog.; dog.: dog.! dog." dog.' dog.) (dog.) dog,.
The 1950s, the 1950's, the '50s and the '90s' end
the '80s. the '11 the '11, the 50's
He is 6'2" and 5' 10" tall, or 5'11
a 6-foot-2 man, 5ft. tall, 20in. wide, 5lb heavy
1 2 10 100 1,000 1,000.50 10,00 .5 -5 +5 5. 5, 5; 5:30 10:14:15
half past 10:14pm, 10:14 p.m. and 7pm
call 800 555 1234 or 555-123-4567, (555) 123-4567, (555)123-4567, +1 555 123 4567, ++44 20 7946 0958.
(2) 79460958 (20) 79460958 (20) 7946-0958 (2010) 100 and (12) dogs
12 345 6789, 2010 100000 dogs, 100 200 dogs, 1000 2000 3000, 10 20 30 40 50, 2013 2014 2015 2016, 123 4567 890
24 7 365, 12-345-678, 555.123.4567 x, 1.555.123.4567, 12345 678 9012, 12 345 67890123
3 1/2 3/4, 3 4/5/6, 1 1/2 1/2, on 5 12/25 x, No. 5 1/2, the 5 3/4th st, $5 1/2, 5 1/2%, a5 1/2, 5 1/2a, 7 11/12345
7  1/2, 12345 1/2, 100 1/2-inch, 1 123/456, 5 dogs, 5 / 2, 5 1 /2, 1 800 555 1234 ext. 5
10/10/2010 12-25-2010 1/1/09 11.01.2009 24/7 50/50
1/2 3/4 3 1/2 22 3/4 3-1/2 one-1/2
½ cup, 1½ cups, ¼ and ¾ and ⅓
5th 22nd 3rd 1st 21ST mp3 4x4 2x4s k9 a1 1a
1.5-2.5 1990-2000 5-6 25-30mph 555-1234 1-800-555-1234
5% of 50 percent, 100%!
$5 $5.00 $1,000 $.50 5$ US$5 C$5 £5 €5 5¢ ¥5 USD$5
The #1 fan, number # 2 and #hashtag of @user
black & white, B&W, R&D, AT&T, A&W, Q&A, H&M, at&t, b&b, bed&breakfast
salt &amp; pepper &lt; &gt; &quot;x&quot;
black/white, and/or, his/her/their, a/b/c/d, w/o, w/, a / b, //
C++ and C# and A+B and a+b and a=b
a*b *stars* **two** a_b _a a_ __ a~b ^ | \\ %
< > << >> <b> </b> <br/> <3
(a man) [a dog] {a cat} (both) ( ) [] {}
a man (tall) and a dog(small)s
:) :( :-) ;-) :D :P =) :dog :5 (: :(dog
wow! wow!! what?! really?? no!? ok! ?
man.the dog.The cat street.and here
hello!there hello?there hello,there hello;there hello:there
google.com www.example.org http://example.com/a?b=c https://example.com. me@example.com foo.com/bar
statefarm.com's sign avro.com, river.a street.a b5.c
a.5 ab.5 5.a a5.b
dog/cat. dog/ /dog dog//cat 5/dog
naïve Ñandú École ÀÉÎ façade œuvre jalapeño-stuffed
日本語 русский ελληνικά עברית العربية 한국어
a★b ♥ → ✓ © ® ™ a™ 5° 5°C § ¶ • a·b
cap'n crunch, Cap'n and cap’n, recap'n cap'ns
ol'man ol' ol'. somethin' dunkin' somethin's ol’man
nat'l cont'd cont'd. c'est c’est c'mon c'mere e'er e'ers s'mores s'more s’mores
ev'ry every'ry li'l li'ls nor'easter nor’easter o'o o'oo O'o
'tisn't 'tis 'twas ’day ’man x’day
hors-d'oeuvres val-d'isère jack-o'lantern a-o'b a-l'b a-d'b-c jack-o'-lantern
ΟΔΟΣ ΣΑΣ Σ ΑΣ-Β ΟΣΑ
٣ كتب ٣٤ كتاب٣ १२ लड़के x １２３ a１
a‼b a⁃b a《b》 〈c〉 「d」 【e】
a dog 😀 😀😀 runs👍 fast
×5 5×5 ÷ ± − x²
  spaces   everywhere   and	tabs	too  
,,, ;;; ::: , . ; :
-
.
!
--
a
A
"
'
he said 'no' and 'yes, sir'
'n' 'em' 'til' 's' 'd'
it's's he'S HE'LL I'M i'm
d'artagnan l'eau qu'il j'adore n'er ol' y' th' lil' goin'
ho'ohu pe'e zo'em ne'er e'er
ain't aren't weren't didn't" shouldn't, isn't.
n't 'nt nt x'nt mustn't-go don't-care
dog`s dog´s can`t can‘t
The-man the- -the a-b-c. a--b
Toys"R"Us toys-r-us Yahoo! yahoo!'s E! Jeopardy!
semi-colon; colon: comma, dash - done
a cat\\dog c:\\dir ~5 ~a
"The end."
A (very) "strange" -- but true -- caption; isn't it? Yes...it is!!
l’homme est ici
L’Homme qu’il d’accord
rock’n’roll rock’n’ roll
o’clock O’Brien o’brien
’90s ’em ’tis ’n’
can’t don’t I’m we’ve they’ll it’s dog’s dogs’
aujourd’hui jusqu’à l’été l’École
‘x’ x‘y
it’s l’homme’s
a’b c’d y’all ma’am ne’er e’en
d’être qu’est-ce s’il
l'homme aujourd'hui l'été qu'est-ce
"""

# Every abbreviation in both cases, in the middle of a sentence, and words that look like one.
ABBREVIATIONS = """adm apr assn atty aug ave bldg blvd bros calif capt cie co col corp ct dec dept dr est etc ext feb
fri ft gen gov hon inc jan jr jul jun lt ltd maj mar messrs mme mo mon mr mrs ms mt nov oct pfc ph plc pres prof pvt
rd rep rev rt sen sept sgt sq sr st ste supt tel thu tue univ va vs vt wed ark az del ill la mass miss ore pa tex wash
mfg mtg pte pty art ca fig figs no nos op pp prop in on is at dog cat tub bed road street mall
""".split()


def captions() -> list:
    lines = SENTENCES.split("\n")[:-1]
    for word in ABBREVIATIONS:
        lines.append(f"the {word}. dog and {word.title()}. Dog")
    return lines


def main() -> None:
    lines = captions()
    lines = [line.replace("\t", " ") for line in lines]
    framed = [text for line in lines for text in ("A dog", line)] + ["A dog"]
    with contextlib.redirect_stdout(sys.stderr):
        words = PTBTokenizer().tokenize({n: [{"caption": text}] for n, text in enumerate(framed)})
    path = destination("LanguageTests", "tokenizer.tsv")
    rows = [f"{line}\t{' '.join(word for word in words[2 * n + 1][0].split(' ') if word)}\n" for n, line in enumerate(lines)]
    path.write_text("".join(rows), encoding="utf-8")
    print(f"{path}: {len(rows)} captions")


if __name__ == "__main__":
    main()
