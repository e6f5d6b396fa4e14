"""What FAISS needs for the same rows and queries, one thread, one query at a time.

    faiss.py FOLDER NEEDLES THRESHOLD COMPARED

Reads rows.bin and queries.bin (NEEDLES hashes a query) of the folder. Prints one line of JSON, and writes the first COMPARED
answers of each index to NAME.answers: for each query a count, then row, needle and distance of each hit, all 32 bits.
"""
import json
import math
import os
import sys
import time

sys.path.pop(0)  # this folder, in which `faiss` would be this file
try:
    import faiss
    import numpy as np
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
    sys.exit(0)

BITS = 256
ROW_BYTES = BITS // 8
ADD_ROWS = 1 << 18
SLACK_BYTES = 64
WARM_UP = 5
LEAST_QUERIES = 30
MOST_QUERIES = 300
LEAST_S = 2.0
MOST_BYTES = 20 * 2**30
MOST_HASH_BITS = 48  # of the 63 that a key has
MOST_FLIPS = 4
CANDIDATES = 3  # parameters to try, the most promising ones

folder, needles, threshold, compared = sys.argv[1], *map(int, sys.argv[2:5])
faiss.omp_set_num_threads(1)
rows = np.memmap(os.path.join(folder, "rows.bin"), dtype=np.uint8, mode="r").reshape(-1, ROW_BYTES)


def with_slack(values):
    """A copy with room behind it: FAISS 1.11 reads a few bytes past the last hash, and crashes where a page ends there."""
    buffer = np.zeros(values.size + SLACK_BYTES, dtype=np.uint8)
    copy = buffer[: values.size].reshape(values.shape)
    copy[...] = values
    return copy


queries = with_slack(np.fromfile(os.path.join(folder, "queries.bin"), dtype=np.uint8).reshape(-1, needles, ROW_BYTES))


def measure(index, name):
    if sys.stderr.isatty():
        print(f"FAISS {name} is building and searching", file=sys.stderr)
    start = time.perf_counter()
    for at in range(0, len(rows), ADD_ROWS):
        index.add(with_slack(rows[at : at + ADD_ROWS]))
    build_s = time.perf_counter() - start
    for query in queries[-WARM_UP:]:
        search(index, query)
    times_s = []
    while len(times_s) < LEAST_QUERIES or (len(times_s) < MOST_QUERIES and sum(times_s) < LEAST_S):
        query = queries[len(times_s) % len(queries)]
        start = time.perf_counter()
        search(index, query)
        times_s.append(time.perf_counter() - start)
    return {
        "p50Us": round(1e6 * float(np.median(times_s)), 1),
        "queries": len(times_s),
        "buildRowsPerS": round(len(rows) / build_s),
    }


def search(index, query):
    return index.range_search(query, threshold + 1)  # FAISS finds what is nearer than the radius, not what is at it


def write_answers(index, name):
    with open(os.path.join(folder, f"{name}.answers"), "wb") as file:
        for query in queries[:compared]:
            limits, distances, ids = search(index, query)
            nearest_needle = np.repeat(np.arange(needles), np.diff(limits).astype(np.int64))
            order = np.lexsort((nearest_needle, distances, ids))  # by row, then the nearest, then the first of equals
            ids, first = np.unique(ids[order], return_index=True)
            np.array([len(ids)], dtype=np.uint32).tofile(file)
            np.stack([ids, nearest_needle[order][first], distances[order][first]], 1).astype(np.uint32).tofile(file)


def multi_hash_candidates():
    """Parameters that find everything: with that many hashes, one of them has `flips` differing bits at most."""
    found = []
    for flips in range(MOST_FLIPS + 1):
        hashes = math.ceil((threshold + 1) / (flips + 1))
        bits = min(BITS // hashes, MOST_HASH_BITS)
        if bits <= flips:
            continue
        probes = hashes * sum(math.comb(bits, k) for k in range(flips + 1))
        cost = probes * 60 + probes * len(rows) / 2**bits * 20  # in about ns, if the rows were random
        memory = len(rows) * (ROW_BYTES + 16 * hashes) + hashes * min(len(rows), 2**bits) * 100
        found.append((cost, memory, hashes, bits, flips))
    found.sort()
    return [one for one in found if one[0] < 5 * found[0][0]][:CANDIDATES]


def free_bytes():
    with open("/proc/meminfo") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))
    return min(MOST_BYTES, available * 1024 * 8 // 10)


def flat():
    if len(rows) * ROW_BYTES > free_bytes():
        return {"skipped": "memory"}
    index = faiss.IndexBinaryFlat(BITS)
    result = measure(index, "Flat")
    write_answers(index, "faissFlat")
    return result


def multi_hash():
    best = None
    tried = []
    for _, memory, hashes, bits, flips in multi_hash_candidates():
        parameters = f"nhash={hashes}, b={bits}, nflip={flips}"
        if memory > free_bytes():
            tried.append(f"{parameters}: not enough memory")
            continue
        index = faiss.IndexBinaryMultiHash(BITS, hashes, bits)
        index.nflip = flips
        result = measure(index, f"MultiHash {parameters}")
        tried.append(f"{parameters}: {result['p50Us']} µs")
        if best is None or result["p50Us"] < best["p50Us"]:
            best = {**result, "parameters": parameters}
            write_answers(index, "faissMultiHash")
        del index
    return {**(best or {"skipped": "memory"}), "tried": tried}


def call_us():
    """What calling from Python costs, which is part of every time above."""
    empty = faiss.IndexBinaryFlat(BITS)
    start = time.perf_counter()
    for _ in range(1000):
        search(empty, queries[0])
    return round(1e3 * (time.perf_counter() - start), 1)


version = f"{faiss.__version__} ({faiss.get_compile_options().strip()})"
peers = {"faissFlat": flat(), "faissMultiHash": multi_hash()}
print(json.dumps({"version": version, "callUs": call_us(), "peers": peers}))
