# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it, which set $job (mpi_job) and $what (is tested) first: a folder
# $work, and `ranks R ARGUMENT...`, which runs mpi_job in R ranks. Exit 77 where there is no MPI.
skip() {
    echo "skipped: $what ($*)"
    exit 77
}
command -v mpirun >/dev/null || skip 'no mpirun'
mpirun --version 2>/dev/null | grep -q 'Open MPI' || skip 'mpirun is not of Open MPI'
[ -e "$(dirname "$job")/src/chexnet/libchexnet-mpi.so" ] || skip 'built without MPI'
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # MPI frees little of its own
work=$(mktemp -d)
mpirun=(mpirun --allow-run-as-root --oversubscribe --mca mpi_yield_when_idle 1)

ranks() {
    MPI_JOB_RANKS=$1 "${mpirun[@]}" -n "$1" "$job" "${@:2}"
}
