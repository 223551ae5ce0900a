#!/usr/bin/env bash
# Trains the student on a machine with a GPU in a given time, from the project's root: bash benchmarks/student_gpu.sh PACK OUT [SECONDS]
# PACK: of 'vr180-ofx train pack --most-mb 45'. OUT: gets run/, student.safetensors, scores.json, look.png. SECONDS: for all of it (570).
# SITE: an archive of libraries that the machine lacks, unpacked first. SET: more --set K=V for the recipe. PYTHON: another interpreter.
set -euo pipefail
pack=$(realpath "$1") out=$2 budget=${3:-570} python=${PYTHON:-python3}
mkdir -p "$out"
if [ -n "${SITE:-}" ]; then mkdir -p "$out/site" && tar xJf "$SITE" -C "$out/site" && export PYTHONPATH=$out/site:$PWD; else export PYTHONPATH=$PWD; fi
more=(); for word in ${SET:-}; do more+=(--set "$word"); done
train() { "$python" -W ignore -m vr180_ofx train "$@" --set data.people.path="$pack" --set data.held.path="$pack" "${more[@]}" --json; }
# how long a step of each stage takes here, compiled
began=$(date +%s)
[ -d "$out/probe" ] || train student-h100 -o "$out/probe" --set small.steps=30 --set small.warm_up=5 --set large.steps=20 --set large.warm_up=5 \
  --set log.every=1 --set evaluation.samples=2 --set evaluation.every=100000 >/dev/null
read -r small large < <("$python" - "$out/probe/log.jsonl" "$budget" $(($(date +%s) - began)) <<'P'
import json, statistics, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
seconds = {s: statistics.median([r["seconds"] for r in rows if r.get("stage") == s and "seconds" in r][-10:]) for s in ("small", "large")}
# as long again for compiling as the probe took, and a tenth for evaluation, the file and the scores
left = 0.9 * float(sys.argv[2]) - 2 * float(sys.argv[3])
if left < 60 * max(seconds.values()):
    sys.exit(f"{sys.argv[2]} seconds are too few here: a step takes {seconds['small']:.2f} and {seconds['large']:.2f} s")
print(max(20, int(0.6 * left / seconds["small"])), max(10, int(0.4 * left / seconds["large"])))
P
)
echo "steps: $small small, $large large"
if [ -d "$out/run" ]; then "$python" -W ignore -m vr180_ofx train resume "$out/run" --json
else train student-h100 -o "$out/run" --set small.steps="$small" --set small.warm_up=$((small / 20)) --set large.steps="$large" --set large.warm_up=$((large / 20)); fi
"$python" -W ignore -m vr180_ofx train student-file "$out/run/weights.safetensors" -o "$out/student.safetensors" --note "student-h100, $small + $large steps"
"$python" -W ignore benchmarks/student.py "$pack" --weights "$out/student.safetensors" --windows "${WINDOWS:-64}" --picture "$out/look.png" >"$out/scores.json"
rm -rf "$out/site" "$out/probe"
ls -l "$out"
