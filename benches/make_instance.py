#!/usr/bin/env python3
"""Makes a placement instance of the kind in docs/performance.md; the same arguments give the same file.

usage: benches/make_instance.py HOSTS OUT.json [--hard] [--seed N]

Five providers with twenty regions each, four regions to a country. Hosts stand in communities of 5 to 50 with traffic
mostly inside. Without --hard prices differ by half between regions, a host has some four flows and one in seven is
bound to a country; with it prices differ by a few per cent, there are seven flows, hubs, and four in ten are bound.
"""

import argparse
import json
import random

PROVIDERS, REGIONS, PER_COUNTRY = 5, 20, 4


def make(hosts, hard, seed):
    pick = random.Random(seed)
    labels = PROVIDERS * REGIONS
    provider = [label // REGIONS for label in range(labels)]
    country = [(label % REGIONS) // PER_COUNTRY for label in range(labels)]
    spread = 0.03 if hard else 0.25
    level = [pick.uniform(1 - spread, 1 + spread) for _ in range(labels)]
    unary, community, number = [], [], 0
    while len(community) < hosts:
        size = pick.randint(5, 50)
        community += [number] * min(size, hosts - len(community))
        number += 1
    bound = 0.4 if hard else 0.15
    for _ in range(hosts):
        size = pick.choice([2_000, 4_000, 8_000, 16_000, 32_000])
        home = pick.randrange(REGIONS // PER_COUNTRY) if pick.random() < bound else None
        unary.append(
            [
                round(size * level[label] * pick.uniform(0.97, 1.03)) if home in (None, country[label]) else -1
                for label in range(labels)
            ]
        )
    members = {}
    for host, place in enumerate(community):
        members.setdefault(place, []).append(host)
    hubs = pick.sample(range(hosts), max(1, hosts // 50)) if hard else []
    edges, gb = set(), []
    for _ in range(hosts * (7 if hard else 4) // 2):
        source = pick.randrange(hosts)
        inside = pick.random() < 0.85
        sink = pick.choice(members[community[source]] if inside else hubs or range(hosts))
        if source != sink and (source, sink) not in edges:
            edges.add((source, sink))
            gb.append(([source, sink], round(pick.lognormvariate(4, 1.5)) + 1))
    return {
        "n": hosts,
        "prov": provider,
        "zone": list(range(labels)),
        "unary": unary,
        "edges": [edge for edge, _ in gb],
        "gb": [volume for _, volume in gb],
        "creg": [pick.choice([1, 2]) for _ in range(PROVIDERS)],
        "cnet": [pick.choice([8, 9, 11]) for _ in range(PROVIDERS)],
        "open_region": [pick.randint(15_000, 40_000) for _ in range(labels)],
        "open_provider": [pick.randint(50_000, 100_000) for _ in range(PROVIDERS)],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hosts", type=int)
    parser.add_argument("out")
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with open(args.out, "w") as file:
        json.dump(make(args.hosts, args.hard, args.seed), file)


if __name__ == "__main__":
    main()
