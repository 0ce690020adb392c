"""What a benchmark's lines say: the table, and what else some of them compare."""

import statistics


def in_unit(unit, line) -> list:
    """Every time of the line in the table's unit."""
    if unit == "s/epoch":
        return [t / 1000 * line["batches_per_epoch"] for t in line["times"]]
    return line["times"]


def table(benchmark, raw) -> str:
    results = {}
    for line in raw:
        key = (line["engine"], line.get("precision", "f32"), line.get("case") or line.get("batch"))
        results.setdefault(key, []).extend(in_unit(benchmark.unit, line))
    sizes = "case" if any("case" in line for line in raw) else "batch"
    rows = [f"| engine | precision | {sizes} | median {benchmark.unit} | least | most | × captioner |",
            "|---|---|---|---|---|---|---|"]
    medians = {key: statistics.median(times) for key, times in results.items()}
    ours = {(batch, kind): median for (engine, kind, batch), median in medians.items() if engine.startswith("captioner")}
    for (engine, kind, batch), times in results.items():
        median, own = medians[engine, kind, batch], ours.get((batch, benchmark.precision))
        rows.append(f"| {engine} | {kind} | {batch or '–'} | {median:.1f} | {min(times):.1f} "
                    f"| {max(times):.1f} | {f'{median / own:.2f}' if own else '–'} |")
    return "\n".join(rows + ratios(benchmark.precision, medians, ours))


def ratios(precision, medians, ours) -> list:
    """Ours against the fastest peer of each precision."""
    rows = []
    for (batch, kind), own in ours.items():
        sizes = f"{batch}: " if isinstance(batch, str) else f"batch {batch}: " if batch else ""
        name = sizes + "captioner" + (f" ({kind})" if kind != precision else "")
        peers = {key: median for key, median in medians.items() if key[2] == batch and not key[0].startswith("captioner")}
        for alone in [key for key in peers if key[0] == "encoder alone"]:
            rows.append(f"\nthe whole process takes {own / peers.pop(alone):.3f} times its encoder alone")
        for theirs in sorted({key[1] for key in peers}, key=lambda k: k != precision):
            best = min((key for key in peers if key[1] == theirs), key=peers.get)
            rows.append(f"\n{name} takes 1/{peers[best] / own:.2f} of the time of the fastest {theirs} peer "
                        f"({best[0]}): a ratio of {own / peers[best]:.2f}.")
    return rows


def beside(raw, first) -> str:
    """How long each engine takes for a case, beside the case of the same size that begins with `first`."""
    times = {}
    for line in raw:
        times.setdefault((line["engine"], line["case"]), []).extend(line["times"])
    rows = []
    for (engine, case), found in times.items():
        way, size = case.split(", ", 1)
        if way != first:
            ratio = statistics.median(found) / statistics.median(times[engine, f"{first}, {size}"])
            rows.append(f"{engine}, {size}: {way} takes {ratio:.2f} times {first}")
    return "\n".join(rows)


def sharing(raw) -> str:
    """What two processes take beside one with as many threads, ours and the peer's, and what they send each other."""
    times, pair = {}, None
    for line in raw:
        times.setdefault((line["engine"].split(" ")[0], "processes" in line["engine"]), []).extend(line["times"])
        pair = line if "bytes_sent_per_step" in line else pair
    medians = {key: statistics.median(found) for key, found in times.items()}
    rows = [f"{engine}: two processes take {medians[engine, True] / medians[engine, False]:.3f} times one of two threads"
            for engine, shared in medians if shared and (engine, False) in medians]
    if ("captioner", True) in medians and ("pytorch", True) in medians:
        rows.append(f"two processes: captioner takes {medians['captioner', True] / medians['pytorch', True]:.3f} times pytorch")
    if pair:
        sent, least = pair["bytes_sent_per_step"], pair["least_bytes_per_step"]
        rows.append(f"a process sends {sent / 1e6:.1f} MB a step, {sent / least:.3f} times 2(R - 1)/R of its parameters; "
                    f"that, adding up and waiting take {pair['milliseconds_shared_per_step']:.1f} ms of its "
                    f"{statistics.median(pair['times']):.1f}")
    return "\n".join(rows)


def agreement(raw) -> str:
    """How many captions of each engine are those of the first, and how long each takes beside it."""
    first = raw[0]
    own = statistics.median(first["times"])
    rows = []
    for line in {line["engine"]: line for line in raw}.values():
        same = sum(a == b for a, b in zip(first["captions"], line["captions"]))
        apart = max(abs(a - b) for a, b in zip(first["log_probs"], line["log_probs"]))
        rows.append(f"{line['engine']}: {same} of {len(first['captions'])} captions as {first['engine']}'s, "
                    f"log-probs at most {apart:.1e} apart, {statistics.median(line['times']) / own:.2f} times the time")
    return "\n".join(rows)


def peaks(raw) -> str:
    found = {line["engine"]: line["peak_megabytes"] for line in raw}
    return "peak memory: " + ", ".join(f"{engine} {peak} MB" for engine, peak in found.items())
