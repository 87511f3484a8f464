#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a step of data-parallel training should take on R ranks: a model, not a measurement.

    step(R) = compute * (1 + spread * sqrt(2 ln R)) + max(0, exchange(R) - overlap * compute)
    exchange(R) = 2 (1 - 1/R) bytes / bandwidth           each number travels up and back
                + (1 - 1/R) bytes / add-rate              and is added
                + rounds(R) * latency                     2 log2 R messages for each 8 MiB
                + agree * log2 R * latency                small exchanges of every step

Every rank computes the same number of shards (weak scaling): efficiency is compute / step(R), and R
ranks do R * efficiency times the work of one. Each assumption is an argument."""
import argparse
import math

PIECE, WINDOW = 1 << 20, 8  # of src/train/mpi/state.h


def exchange(ranks, a):
    """Seconds that the sums of one step take when nothing hides them."""
    if ranks == 1:
        return 0.0
    levels = math.log2(ranks)
    rounds = math.ceil(a.bytes / (PIECE * WINDOW)) * 2 * levels + a.agree * levels
    share = 1 - 1 / ranks
    return (2 * share * a.bytes / a.bandwidth + share * a.bytes / a.add_rate
            + rounds * a.latency)


def step(ranks, a):
    slowest = a.compute * (1 + a.spread * math.sqrt(2 * math.log(ranks)))
    return slowest + max(0.0, exchange(ranks, a) - a.overlap * a.compute)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    p.add_argument('--compute', type=float, required=True, help='seconds of a step on one rank')
    p.add_argument('--bandwidth', type=float, required=True, help="bytes/s of a rank, each way")
    p.add_argument('--latency', type=float, required=True, help='seconds of a small message')
    p.add_argument('--bytes', type=float, default=28e6, help='of gradients (28e6)')
    p.add_argument('--overlap', type=float, default=0.5,
                   help='part of the step that an exchange can hide behind (0.5)')
    p.add_argument('--spread', type=float, default=0.01,
                   help="standard deviation of a rank's step, relative (0.01)")
    p.add_argument('--add-rate', type=float, default=4e9, help='bytes/s of additions (4e9)')
    p.add_argument('--agree', type=float, default=2, help='small exchanges of a step (2)')
    p.add_argument('--ranks', type=int, nargs='+', default=[1, 8, 64, 512])
    return p.parse_args()


def main():
    a = arguments()
    print('| ranks | exchange, ms | step, ms | efficiency | times the work of one |')
    print('|--:|--:|--:|--:|--:|')
    for ranks in a.ranks:
        seconds = step(ranks, a)
        share = a.compute / seconds
        print(f'| {ranks} | {exchange(ranks, a) * 1e3:.1f} | {seconds * 1e3:.1f} | '
              f'{share * 100:.0f} % | {ranks * share:.1f} |')


if __name__ == '__main__':
    main()
