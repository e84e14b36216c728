#!/bin/bash
# A map as an array of Slurm jobs: each computes a share of the points into a folder of its own, one more job merges them.
#
#     sbatch examples/slurm_map.sh           # prints the number of the array, such as 1234
#     sbatch --dependency=afterany:1234 --array=0 examples/slurm_map.sh
#     rnnviz map show map/whole
#
# A job that ran out of time, or was killed, continues when it is submitted again: sbatch --array=7 examples/slurm_map.sh
#SBATCH --job-name=rnnviz-map
#SBATCH --array=1-50
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --time=01:00:00
set -euo pipefail

parts=50 # as many as --array has above
experiment=(--task recall --x gain=0.25:2:24 --y lag=5:100:20 --cell rnn,lstm,gru --seeds 4 --epochs 60)

if [ "$SLURM_ARRAY_TASK_ID" -eq 0 ]; then
  rnnviz map merge map/whole map/part-*
else
  rnnviz map "${experiment[@]}" --shard "$SLURM_ARRAY_TASK_ID/$parts" -o "map/part-$SLURM_ARRAY_TASK_ID" \
    --workers "${SLURM_CPUS_PER_TASK:-1}"
fi
