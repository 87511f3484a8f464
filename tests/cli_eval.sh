#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_eval.sh CHEXNET: the commands stats and compare, on small files.
set -uo pipefail
chexnet=$1
. tests/cli_expect.sh

zeros=' 0 0 0 0 0 0 0 0 0 0 0 0 0'
findings=Atelectasis,Cardiomegaly,Effusion,Infiltration,Mass,Nodule,Pneumonia,Pneumothorax
findings+=,Consolidation,Edema,Emphysema,Fibrosis,Pleural_Thickening,Hernia
# scores FILE IMAGE:SCORE...: predictions; all findings get the same score.
scores() {
    local file=$1 pair
    shift
    echo "image,$findings" >"$file"
    for pair; do echo "${pair%:*}$(printf ",${pair#*:}%.0s" {1..14})" >>"$file"; done
}

train=$work/train.txt val=$work/val.txt test=$work/test.txt
printf '%s\n' "00000001_000.png 1$zeros" "00000001_001.png 0$zeros" \
    "00000002_000.png 0$zeros" >"$train"
printf '%s\r\n' "00000003_000.png 0$zeros" "00000004_000.png 1$zeros" >"$val"
printf '%s' "00000001_002.png 0$zeros" >"$test"

# stats: counts, percent to one decimal, any subset of the lists.
expect 0 '^images +3 +2 *$' stats --train "$train" --val "$val"
expect 0 '^patients +2 +2 *$' stats --train "$train" --val "$val"
expect 0 '^No Finding +2 +66\.7 +1 +50\.0$' stats --train "$train" --val "$val"
expect 0 '^Atelectasis +1 +33\.3 +1 +50\.0$' stats --train "$train" --val "$val"
expect 0 '^Pleural_Thickening +0 +0\.0$' stats --test "$test"
expect 0 '^patients in both train and val: 0$' stats --train "$train" --val "$val"
expect 0 '^Research use only, not a medical device\.$' stats --train "$train"
expect 0 '"percent": 33\.3$' stats --train "$train" --json
expect 0 '"train-val": 0$' stats --train "$train" --val "$val" --json
expect 0 '"notice": "Research use only, not a medical device\."' stats --val "$val" --json
grep -q '"test"' "$work/out" && complain 'stats --json: a split that was not given'

# Shared patients: the table all the same, then a sentence and status 3.
shared="train and test share 1 patients, for example that of '00000001_002\.png'"
"$chexnet" stats --train "$train" --test "$test" >"$work/out" 2>"$work/err"
[ $? -eq 3 ] || complain 'stats with shared patients: status is not 3'
grep -q -E "$shared" "$work/err" || complain 'stats with shared patients: no sentence'
grep -q '^patients in both train and test: 1$' "$work/out" || complain 'stats: no table'
expect 0 '^patients in both train and test: 1$' \
    stats --train "$train" --test "$test" --allow-overlap

# Name-only lists with NIH's table.
entries=$work/entries.csv names=$work/names.txt
printf '%s\n' 'Image Index,Finding Labels,Follow-up #,Patient ID' \
    '00000009_000.png,Hernia|Mass,0,9' '00000009_001.png,No Finding,1,9' >"$entries"
printf '%s\n' 00000009_000.png 00000009_001.png >"$names"
expect 0 '^Hernia +1 +50\.0$' stats --test "$names" --entries "$entries"
expect 0 '^patients +1 *$' stats --test "$names" --entries "$entries"
expect 3 'names\.txt: names without labels, expected' stats --test "$names"
echo 00000010_000.png >>"$names"
expect 3 "names\.txt:3: image '00000010_000\.png' is not in the entry table" \
    stats --test "$names" --entries "$entries"

# Bad input: exit status, one line, nothing on stdout.
bad=$work/bad.txt
expect 2 'stats: at least one of --train, --val and --test is needed' stats
expect 4 "missing\.txt'" stats --train "$work/missing.txt"
expect 4 "missing\.csv'" stats --train "$train" --entries "$work/missing.csv"
expect 4 'not a regular file|directory' stats --train "$work"
printf '%s\n' "a.png 1$zeros" "b.png$zeros" >"$bad"
expect 3 'bad\.txt:2: 13 labels, expected 14$' stats --train "$bad"
echo "a.png 2$zeros" >"$bad"
expect 3 "bad\.txt:1: label 1 \(Atelectasis\) is '2', expected 0 or 1$" stats --train "$bad"
: >"$bad"
expect 3 'bad\.txt: empty, expected a list of images$' stats --train "$bad"
printf '%s\n' "a.png 1$zeros" "b.png 1$zeros" "a.png 0$zeros" >"$bad"
expect 3 "bad\.txt:3: image 'a\.png' is already on line 1$" stats --train "$bad"
expect 5 'no memory for' stats --train "$train" --memory-limit 300

# compare: B - A by name, not by place.
list=$work/list.txt a=$work/a.csv b=$work/b.csv
printf '%s\n' "p.png 1$zeros" "q.png 1$zeros" "n.png 0$zeros" "m.png 0$zeros" >"$list"
printf '%s\n' "p.png 1$zeros" "n.png 0$zeros" "m.png 0$zeros" >"$work/single.txt"
scores "$a" p.png:.9 q.png:.2 n.png:.3 m.png:.1
scores "$b" m.png:.1 n.png:.5 q.png:.6 p.png:.7
expect 0 '^Atelectasis +0\.7500 +1\.0000 +\+0\.2500 ' compare "$a" "$b" --list "$list"
expect 0 '^Hernia +n/a +n/a +n/a +n/a +n/a +0$' compare "$a" "$b" --list "$list"
expect 0 '^mean of 1 findings +0\.7500 ' compare "$a" "$b" --list "$list"
expect 0 '^Atelectasis .* 1 +2$' compare "$a" "$a" --list "$list"
expect 0 '^The mean is not tested, for one of its findings cannot be\.$' \
    compare "$a" "$b" --list "$work/single.txt"
expect 0 '"difference": 0\.25,' compare "$a" "$b" --list "$list" --json
expect 0 '"auc_a": null,' compare "$a" "$b" --list "$list" --json
expect 0 '^left out, not on the list: 1 images of both files$' \
    compare "$a" "$b" --list "$work/single.txt"
expect 2 'compare: A\.csv B\.csv expected' compare "$a" --list "$list"
expect 2 '\-\-list FILE is needed' compare "$a" "$b"
expect 4 "missing\.csv'" compare "$a" "$work/missing.csv" --list "$list"
scores "$b" p.png:.7 n.png:.5 m.png:.1
expect 3 "b\.csv: no image 'q\.png', which is in .*a\.csv$" compare "$a" "$b" --list "$list"
expect 3 "b\.csv: no image 'q\.png', which is in .*a\.csv$" compare "$b" "$a" --list "$list"
scores "$b" p.png:nan
expect 3 "b\.csv:2: Atelectasis is 'nan', expected a finite number$" \
    compare "$a" "$b" --list "$list"
expect 3 'list\.txt:1: header field 1 is' compare "$a" "$list" --list "$list"

exit $failed
