#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# infer and predict as a user runs them, on phantom images and weights made by formula.
# usage: cli_infer.sh CHEXNET WEIGHTS MODE
set -u
chexnet=$1 weights=$2 mode=$3
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
failures=0

fail() { printf 'FAILED: %s\n' "$1"; failures=$((failures + 1)); }

# expect STATUS WHAT COMMAND...: its exit status; stderr one line when it fails
expect() {
    local want=$1 what=$2 got
    shift 2
    "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ "$got" -eq "$want" ] || { fail "$what: exit $got, expected $want"; cat "$dir/err"; }
    if [ "$want" -ne 0 ]; then
        [ "$(wc -l <"$dir/err")" -eq 1 ] ||
            { fail "$what: not one line on stderr"; cat "$dir/err"; }
        [ ! -s "$dir/out" ] || fail "$what: something on stdout"
    fi
}

json() { python3 -c "import json,sys; o=json.load(open('$dir/out')); print($1)"; }

"$chexnet" phantom --out "$dir/set" --images 10 --size 256 --seed 3 --balanced >/dev/null || exit 1
images=$dir/set/images
cat "$dir"/set/{train,val,test}_list.txt | head -n 6 >"$dir/list.txt"
infer() { "$chexnet" infer "$weights" --images "$images" --mode "$mode" "$@"; }

# --- the same bits for any number of threads, from folder and cache
for threads in 1 2 3 7; do
    expect 0 "threads $threads" infer --list "$dir/list.txt" --crops center \
        --threads $threads --out "$dir/t$threads.csv"
    cmp -s "$dir/t1.csv" "$dir/t$threads.csv" || fail "threads $threads: other bits than one thread"
done
[ "$(wc -l <"$dir/t1.csv")" -eq 7 ] || fail "preds.csv: not a header and six rows"
expect 0 prepare "$chexnet" prepare --images "$images" --list "$dir/list.txt" --out "$dir/c"
expect 0 "from the cache" "$chexnet" infer "$weights" --images "$dir/c" \
    --list "$dir/list.txt" --crops center --mode "$mode" --out "$dir/cache.csv"
cmp -s "$dir/t1.csv" "$dir/cache.csv" || fail "cache: other bits than the folder"

# --- predict gives the same numbers as infer
first=$(sed -n 2p "$dir/t1.csv" | cut -d, -f1)
expect 0 predict "$chexnet" predict "$weights" "$images/$first" --crops center \
    --mode "$mode" --out "$dir/one.csv" --json
[ "$(sed -n 2p "$dir/t1.csv" | cut -d, -f2-)" = "$(sed -n 2p "$dir/one.csv" | cut -d, -f2-)" ] ||
    fail "predict: other numbers than infer"
[ "$(json "len(o['predictions'][0]['findings'])")" = 14 ] || fail "predict --json: not 14 findings"

# --- predict of many files, read ahead: their order, their numbers, and the bad ones among them
many=() again=()
for name in $(sed 1d "$dir/t1.csv" | cut -d, -f1); do many+=("$images/$name"); done
for ((i = ${#many[@]} - 1; i >= 0; i--)); do again+=("${many[i]}" "${many[0]}"); done
head -c 3000 "${many[2]}" >"$dir/cut.png"
# rows CSV: its rows with file names for paths
rows() { sed "1d; s|^[^,]*/||" "$1"; }
for threads in 1 2 7; do
    expect 0 "predict, threads $threads" "$chexnet" predict "$weights" "${many[@]}" \
        --crops center --mode "$mode" --threads $threads --out "$dir/many.csv"
    [ "$(rows "$dir/many.csv")" = "$(rows "$dir/t1.csv")" ] ||
        fail "predict, threads $threads: not the rows of infer"
done
expect 0 "predict, repeats" "$chexnet" predict "$weights" "${again[@]}" --crops center \
    --mode "$mode" --out "$dir/again.csv"
for file in "${again[@]}"; do rows "$dir/t1.csv" | grep "^$(basename "$file"),"; done >"$dir/want"
[ "$(rows "$dir/again.csv")" = "$(cat "$dir/want")" ] || fail "predict, repeats: other rows"
bad=("${many[@]:0:2}" "$dir/cut.png" "${many[@]:2}" "$dir/none.png")
rm -f "$dir/many.csv"
expect 3 "predict, a truncated file" "$chexnet" predict "$weights" "${bad[@]}" --crops center \
    --mode "$mode" --out "$dir/many.csv"
grep -q "^chexnet: $dir/cut.png: " "$dir/err" || fail "predict: '$(cat "$dir/err")' names no file"
[ ! -e "$dir/many.csv" ] || fail "predict, a truncated file: predictions were written"
expect 0 "predict, two skipped" "$chexnet" predict "$weights" "${bad[@]}" --crops center \
    --mode "$mode" --on-bad skip --out "$dir/many.csv"
[ "$(rows "$dir/many.csv")" = "$(rows "$dir/t1.csv")" ] || fail "predict, two skipped: other rows"
grep -q "2 of 8 images skipped" "$dir/err" || fail "predict, two skipped: no count on stderr"
expect 4 "predict, a missing file" "$chexnet" predict "$weights" "$dir/none.png" --mode "$mode"

# --- crops full: whole pictures of any shape up to 2:1, in infer and predict, on any threads
mkdir "$dir/shapes"
python3 - "$dir/shapes" <<'P'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
sizes = {"square": (256, 256), "wide": (331, 290), "double": (150, 300), "long": (150, 302)}
for name, (w, h) in sizes.items():
    head = struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes((x * y + x) % 251 for x in range(w)) for y in range(h))
    with open(f"{sys.argv[1]}/{name}.png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
P
printf '%s.png\n' square wide double >"$dir/shapes.txt"
full() { "$chexnet" infer "$weights" --images "$dir/shapes" --mode fp32 --crops full "$@"; }
expect 0 "crops full" full --list "$dir/shapes.txt" --threads 1 --out "$dir/full1.csv" --json
[ "$(json "o['crops'], o['images']")" = "full 3" ] || fail "crops full --json: $(cat "$dir/out")"
expect 0 "crops full, 3 threads" full --list "$dir/shapes.txt" --threads 3 --out "$dir/full3.csv"
grep -q "mode fp32, full crops" "$dir/out" || fail "crops full: not named in '$(cat "$dir/out")'"
cmp -s "$dir/full1.csv" "$dir/full3.csv" || fail "crops full: other bits with 3 threads"
expect 0 "predict --crops full" "$chexnet" predict "$weights" \
    "$dir"/shapes/{square,wide,double}.png --mode fp32 --crops full --out "$dir/fullp.csv"
[ "$(cut -d, -f2- "$dir/full1.csv")" = "$(cut -d, -f2- "$dir/fullp.csv")" ] ||
    fail "predict --crops full: other numbers than infer"
echo long.png >>"$dir/shapes.txt"
for tool in "infer $weights --images $dir/shapes --list $dir/shapes.txt" \
            "predict $weights $dir/shapes/long.png"; do
    # shellcheck disable=SC2086
    expect 3 "a long picture, $tool" "$chexnet" $tool --mode fp32 --crops full
    grep -q 'long.png: 256x515 after resizing: crops full takes sides up to 512$' "$dir/err" ||
        fail "a long picture: $(cat "$dir/err")"
done
expect 0 "a long picture skipped" full --list "$dir/shapes.txt" --on-bad skip --out "$dir/full4.csv"
cmp -s "$dir/full1.csv" "$dir/full4.csv" || fail "a long picture skipped: others are not as before"

# --- any name of a file leaves the CSV one that a reader understands, and the terminal alone
odd=$dir/$'a,"b"\n\e[31mc.png'
cp "$images/$first" "$odd"
expect 0 "an odd name" "$chexnet" predict "$weights" "$odd" --crops center --out "$dir/odd.csv"
grep -q -F 'a,"b"\x0a\x1b[31mc.png' "$dir/out" || fail "predict: the name is printed as it is"
python3 -c "
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline='')))
assert len(rows) == 2 and len(rows[1]) == 15 and rows[1][0] == sys.argv[2], rows
" "$dir/odd.csv" "$odd" || fail "predict --out: a CSV reader sees another name"

# --- what --json promises
expect 0 "infer --json" infer --list "$dir/list.txt" --crops center --json
for key in mode crops images seconds images_per_second peak_rss_bytes mean_auc findings notice; do
    [ "$(json "'$key' in o")" = True ] || fail "infer --json: no $key"
done
[ "$(json "o['images'], o['mode'], o['crops'], len(o['findings'])")" = \
    "6 $mode center 14" ] || fail "infer --json: $(cat "$dir/out")"
levels=c
[ "$mode" = reference ] || levels='c avx2 avx512 vnni amx'
[ "$(json "o['level'] in '$levels'.split()")" = True ] || fail "infer --json: not at $levels"

# --- a list without labels gives predictions and no table
cut -d' ' -f1 "$dir/list.txt" >"$dir/names.txt"
expect 0 "name-only list" infer --list "$dir/names.txt" --crops center --out "$dir/n.csv"
cmp -s "$dir/t1.csv" "$dir/n.csv" || fail "name-only list: other predictions"
grep -q 'mean' "$dir/out" && fail "name-only list: an AUC without labels"
expect 0 "name-only list --json" infer --list "$dir/names.txt" --crops center --json
[ "$(json "o['mean_auc'], o['findings']")" = "None {}" ] ||
    fail "name-only list --json: $(cat "$dir/out")"

# --- bad images
mkdir "$dir/bad" && cp "$images"/* "$dir/bad/"
head -c 3000 "$images/$first" >"$dir/bad/$first"
bad() { "$chexnet" infer "$weights" --images "$dir/bad" --list "$dir/list.txt" \
    --crops center --out "$dir/b.csv" "$@"; }
expect 3 "truncated image" bad
grep -q "$first" "$dir/err" || fail "truncated image: its name is not in '$(cat "$dir/err")'"
[ ! -e "$dir/b.csv" ] || fail "truncated image: predictions were written"
expect 0 "truncated image skipped" bad --on-bad skip
grep -q "1 of 6 images skipped" "$dir/err" || fail "skip: no count on stderr"
grep -q "$first" "$dir/err" || fail "skip: no name on stderr"
[ "$(wc -l <"$dir/b.csv")" -eq 6 ] || fail "skip: not a header and five rows"
expect 0 "skip --json" bad --on-bad skip --json
[ "$(json "len(o['skipped'])")" = 1 ] || fail "skip --json: not one skipped"
rm "$dir/bad/$first" "$dir/b.csv"
expect 4 "missing image" bad
for f in "$dir"/bad/*; do : >"$f"; done
expect 3 "every image skipped" bad --on-bad skip

# --- limits, places, words
expect 5 "memory limit" infer --list "$dir/list.txt" --memory-limit 8M
expect 4 "no such folder for --out" infer --list "$dir/list.txt" --out "$dir/none/p.csv"
expect 4 "no such list" infer --list "$dir/none.txt"
expect 4 "no such model" "$chexnet" predict "$dir/none.pth" "$images/$first"
expect 2 "unknown mode" infer --list "$dir/list.txt" --mode fast
expect 2 "unknown device" infer --list "$dir/list.txt" --device cuda
expect 2 "unknown level" infer --list "$dir/list.txt" --cpu turbo
expect 3 "an image as the model" "$chexnet" predict "$images/$first" "$images/$first"

# --- stopped by a signal: ends by it, nothing left behind
"$chexnet" infer "$weights" --images "$images" --list "$dir/list.txt" --threads 1 \
    --out "$dir/stopped.csv" >/dev/null 2>&1 &
while [ -z "$(ls "$dir" | grep stopped)" ]; do sleep 0.05; done
kill -TERM $!
wait $!
[ $? -eq 143 ] || fail "SIGTERM: not ended by the signal"
[ -z "$(ls "$dir" | grep stopped)" ] || fail "SIGTERM: $(ls "$dir" | grep stopped) left behind"

[ $failures -eq 0 ] || exit 1
echo "infer and predict behave"
