#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# official_lists.sh CHEXNET: `stats` on the 112,120 lines of the CheXNet lists prints the published
# percentages within a second. 77 where the lists are absent.
set -uo pipefail
chexnet=$1 archive=../shared/nih-sample/official-lists.tar.xz
if [ ! -e "$archive" ]; then
    echo 'skipped: percentages of the official lists (no ../shared/nih-sample)'
    exit 77
fi
. tests/cli_expect.sh
tar -C "$work" -xJf "$archive" || exit 1
lists=$work/official-lists
# CPU time of the commands so far: that of a busy machine's others does not count. A subshell would
# have times of its own.
spent_ms() {
    times >"$work/times"
    spent=$(awk -F '[ms ]' 'NR == 2 { printf "%d", 1000 * (60 * ($1 + $4) + $2 + $5) }' \
        "$work/times")
}
spent_ms && begin=$spent
expect 0 '^patients in both val and test: 0$' stats --train "$lists/train_list.txt" \
    --val "$lists/val_list.txt" --test "$lists/test_list.txt"
spent_ms && elapsed=$((spent - begin))
[ $elapsed -lt 1000 ] || complain "took $elapsed ms, limit 1000"
got=$(sed -n '/^No Finding/,/^Hernia/p' "$work/out" | awk 'NR > 1 { print $1, $3, $5, $7 }')
want='Atelectasis 10.2 10.0 10.8
Cardiomegaly 2.5 2.1 2.6
Effusion 11.8 11.5 12.3
Infiltration 17.7 18.0 17.6
Mass 5.1 5.6 5.1
Nodule 5.6 5.5 6.0
Pneumonia 1.2 1.2 1.1
Pneumothorax 4.7 4.5 4.9
Consolidation 4.2 4.0 4.3
Edema 2.2 1.8 1.8
Emphysema 2.3 1.9 2.3
Fibrosis 1.5 1.5 1.6
Pleural_Thickening 2.9 3.3 3.3
Hernia 0.2 0.4 0.2'
[ "$got" = "$want" ] || complain 'other percentages than those published'
grep -q -E '^images +78468 +11219 +22433 *$' "$work/out" || complain 'other image counts'
grep -q -E '^patients +21528 +3090 +6187 *$' "$work/out" || complain 'other patient counts'
exit $failed
