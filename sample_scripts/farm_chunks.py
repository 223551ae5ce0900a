"""Splits a long clip into ranges for many machines: python farm_chunks.py clip.mp4 out/ --machines 8

Prints one command for each machine. All of them share one plan, made first, so that person 2 is person 2 everywhere, and write into one
folder; each frame is a file of its own, and a command that was interrupted goes on where it stopped. Ranges begin where chunks do.
"""

import argparse
import shlex

import vr180_ofx as vr
from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.media.numbering import numbering

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip")
parser.add_argument("output")
parser.add_argument("--machines", type=int, default=4)
parser.add_argument("--plan", default="farm.plan.json")
arguments = parser.parse_args()

settings = vr.Settings()
with vr.open_clip(arguments.clip, settings) as clip:
    numbers = numbering(clip, settings)
    plan = vr.analyse(clip, settings)
    plan.save(arguments.plan)
    chunks = ChunkPlan(plan.shots, settings.processing.chunk_size, settings.processing.overlap_frames)
    goal = -(-len(clip) // arguments.machines)
    # a chunk's beginning lies nearest to where a machine's share would end; short clips have one chunk, and are cut anywhere
    starts = sorted({chunks.of(n).start for n in range(len(clip))})
    cuts = starts if len(starts) >= arguments.machines else list(range(0, len(clip), goal))
    ranges, begin = [], 0
    for k in range(1, arguments.machines + 1):
        later = [c for c in cuts if c > begin]
        end = len(clip) if k == arguments.machines or not later else min(later, key=lambda c: abs(c - k * goal))
        if end > begin:
            ranges.append((begin, end - 1))
        begin = end
for first, last in ranges:
    # Python counts frames from 0, the command line as files are numbered
    frames = f"{numbers.number(first)}-{numbers.number(last)}"
    words = ["vr180-ofx", "render", arguments.clip, "-o", arguments.output, "--plan", arguments.plan, "--frames", frames]
    print(shlex.join(words))
