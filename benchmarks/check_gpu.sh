#!/bin/bash
# Generation and scoring on a CUDA GPU against lm-eval's hf, in float32 and bfloat16, compiled and not: about 4 minutes.
#     bash benchmarks/check_gpu.sh [PYTHON] [OPTIONS OF check_gpu.py, such as --device cpu]
cd "$(dirname "$0")/.." || exit 2
python=${1:-python}
shift
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 OMP_NUM_THREADS=2 PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
logs=$(mktemp -d)
pids=()
for combination in "llama float32" "llama float32 --compile" "llama bfloat16" "llama bfloat16 --compile" \
    "longrope float32" "longrope float32 --compile" "longrope bfloat16 --compile" "windows float32" \
    "windows bfloat16 --compile" "mla float32"; do
    log=$logs/${combination// /_}
    # shellcheck disable=SC2086
    timeout 230 "$python" benchmarks/check_gpu.py $combination "$@" >"$log" 2>"$log.err" &
    pids+=("$!:$log")
done
status=0
for entry in "${pids[@]}"; do
    wait "${entry%%:*}"
    code=$?
    log=${entry#*:}
    cat "$log"
    if [ "$code" -ne 0 ]; then
        status=1
        echo "BAD  $(basename "$log") ended with $code:"
        tail -n 15 "$log.err"
    fi
done
exit $status
