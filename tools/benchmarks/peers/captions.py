"""What Python programs do with a COCO caption file: json.load, the index pycocotools makes, words by a regular
expression (simpler than the Treebank's), a vocabulary, ids, an epoch's batches.

    python3 captions.py FILE
"""

import collections
import json
import random
import re
import resource
import sys
import time


def main():
    start = time.perf_counter()
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    # As pycocotools' createIndex.
    anns, imgs, image_to_anns = {}, {}, collections.defaultdict(list)
    for annotation in data["annotations"]:
        image_to_anns[annotation["image_id"]].append(annotation)
        anns[annotation["id"]] = annotation
    for image in data["images"]:
        imgs[image["id"]] = image
    read = time.perf_counter()
    pattern = re.compile(r"[\w'-]+")
    captions = [pattern.findall(annotation["caption"].lower())
                for image in imgs for annotation in image_to_anns[image]]
    tokenized = time.perf_counter()
    counts = collections.Counter(word for caption in captions for word in caption)
    ids = {word: 4 + i for i, (word, count) in enumerate(counts.most_common()) if count >= 5}
    encoded = [[ids.get(word, 3) for word in caption] for caption in captions]
    order = list(range(len(encoded)))
    random.Random(1).shuffle(order)
    batches = [order[i:i + 100] for i in range(0, len(order), 100)]
    end = time.perf_counter()
    print(json.dumps({
        "engine": "python", "threads": 1, "times": [end - start], "captions": len(encoded), "batches": len(batches),
        "laps": {"read": read - start, "tokenize": tokenized - read, "rest": end - tokenized},
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cpu_seconds": time.process_time()}))


main()
