# Set-up and the main job. CUDA=1 chooses TensorFlow with CUDA, SLURM=1 adds what submits to Slurm, CORES=n is the number
# of cores, DATA=folder the download's, NAME=name a preset's.
.DEFAULT_GOAL := help
.PHONY: help deps env demo preset download verify test lint bench clean

SHELL := /bin/bash
# Once chosen, CUDA and Slurm stay.
EXTRAS := $(if $(CUDA)$(wildcard .venv/.cuda*),cuda,cpu)$(if $(SLURM)$(wildcard .venv/.*-slurm),-slurm)
CORES ?= $(shell nproc)
DATA ?= data/rfcx
ENV := .venv/.$(EXTRAS)
# Every command below finds the environment's programs first, as in an activated shell.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

env: $(ENV) ## create .venv from uv.lock (CUDA=1: with CUDA for an NVIDIA GPU; SLURM=1: for a cluster)

# uv comes through pip where it is missing. Compiled bytecode saves each process seconds of start-up.
$(ENV): pyproject.toml uv.lock
	@if ! command -v uv > /dev/null; then \
	    python3 -m venv .venv && .venv/bin/python -m pip install --quiet "uv>=0.7"; \
	fi
	uv sync --locked $(patsubst %,--extra %,$(subst -, ,$(EXTRAS))) --compile-bytecode
	@rm -f .venv/.cpu* .venv/.cuda* && touch $@

demo: env ## run the whole workflow as params.yaml says, then print its metrics
	snakemake --cores $(CORES)
	@PYTHONPATH=src python workflow/scripts/show_metrics.py --metrics results/metrics.json
	@echo "The scores are in results/scores, the submission is results/kaggle/submission.csv."

preset: env ## write a preset of presets/ to params.yaml (NAME=rfcx), and list the values that change
	@PYTHONPATH=src python workflow/scripts/preset.py --presets presets --params params.yaml --name "$(NAME)"

download: env ## fetch the RFCx competition's data from Kaggle into data/rfcx (DATA=folder: elsewhere)
	@PYTHONPATH=src python workflow/scripts/download.py --output "$(DATA)"

verify: env ## hash all outputs and DVC's cache anew, and remove what is damaged though no time stamp shows it
	@PYTHONPATH=src python workflow/scripts/verify.py

deps: env ## write each stage's dependencies on code into dvc.yaml
	@PYTHONPATH=src python workflow/scripts/write_dependencies.py

test: env ## run all tests
	pytest --numprocesses 4 --dist load --maxschedchunk 1 -r s

lint: env ## check style, types and the workflow's files
	pre-commit run --all-files

bench: demo ## measure how fast it is, beside the usual way and the machine's limits
	python benchmarks/run.py

clean: ## remove what the workflow made; DVC's cache and .venv stay
	rm -rf .snakemake logs dvc_plots results/models results/curves results/epoch_weights results/checkpoints \
	    results/predictions results/scores results/kaggle results/provenance results/provenance.json \
	    results/average_precision.csv results/params_checked.txt \
	    data/demo/dataset data/pretrained data/spectrograms data/splits \
	    data/annotations.csv data/fold_report.csv data/fold_species.csv data/folds.csv data/ground_truth.csv \
	    data/recordings.csv data/species.csv data/template.csv
