# Set-up and the main commands. Variables: CUDA=1 installs TensorFlow with CUDA, SLURM=1 adds the plugin for Slurm,
# BIRDNET=1 adds BirdNET's weights (CC BY-NC-SA 4.0), CORES=n is the number of cores, DATA=folder is where downloads go, and NAME=name is the name of a preset.
.DEFAULT_GOAL := help
.PHONY: help deps env demo metrics preset download verify test slow-test lint bench clean

SHELL := /bin/bash
# An environment with CUDA, Slurm or BirdNET keeps them.
EXTRAS := $(if $(CUDA)$(wildcard .venv/.cuda*),cuda,cpu)$(if $(SLURM)$(wildcard .venv/.*-slurm*),-slurm)$(if \
    $(BIRDNET)$(wildcard .venv/.*-birdnet),-birdnet)
CORES ?= $(shell nproc)
DATA ?= data/rfcx
ENV := .venv/.$(EXTRAS)
PYTEST := pytest --numprocesses 4 --dist load --maxschedchunk 1 -r s
# Commands find the environment's programs first, as in an activated shell.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 11

env: $(ENV) .dvc/plots.html ## create .venv from uv.lock (CUDA=1: for an NVIDIA GPU; SLURM=1: for Slurm; BIRDNET=1: for its embeddings)

# If uv is missing, pip installs it. Compiled bytecode saves each process seconds of start-up time.
$(ENV): pyproject.toml uv.lock
	@if ! command -v uv > /dev/null; then \
	    python3 -m venv .venv && .venv/bin/python -m pip install --quiet "uv>=0.7"; \
	fi
	@echo "Installing the locked packages into .venv, which may take minutes"
	@set -o pipefail; uv sync --locked --extra workflow $(patsubst %,--extra %,$(subst -, ,$(EXTRAS))) --compile-bytecode 2>&1 \
	    | awk '!/^ [+~-] |^(Resolved|Prepared|Uninstalled)|Downloaded|Building|Built|Downloading .*[(]([0-9]([.][0-9]+)?M|.*K)iB[)]/ { print; fflush() }'
	$(if $(findstring birdnet,$@),@PYTHONPATH=src python workflow/scripts/birdnet_licence.py)
	@rm -f .venv/.cpu* .venv/.cuda* && touch $@

# The page in which `dvc plots` draws without a network. Settings of this clone name it.
.dvc/plots.html: $(ENV) workflow/scripts/plots_page.py src/dawnchorus/reporting/plots_page.py
	@PYTHONPATH=src python workflow/scripts/plots_page.py --output $@
	@dvc config --local plots.html_template plots.html

demo: env ## run the whole workflow with params.yaml; it ends with the figures and the paths of the results
	@snakemake --cores $(CORES)

metrics: env ## print the metrics of every model, if they are up to date
	@PYTHONPATH=src python workflow/scripts/show_metrics.py --figures results/figures.json \
	    --reliability results/reliability.csv

preset: env ## write a preset from presets/ to params.yaml (NAME=rfcx), and list the changed values
	@PYTHONPATH=src python workflow/scripts/preset.py --presets presets --params params.yaml --name "$(NAME)"

download: env ## download the RFCx competition's data from Kaggle to data/rfcx (or to DATA=folder)
	@PYTHONPATH=src python workflow/scripts/download.py --output "$(DATA)"

verify: env ## rehash all outputs and DVC's cache, and remove files damaged behind an unchanged time stamp
	@PYTHONPATH=src python workflow/scripts/verify.py

deps: env ## write each stage's code dependencies into dvc.yaml
	@PYTHONPATH=src python workflow/scripts/write_dependencies.py

test: env ## run the fast tests
	$(PYTEST) -m "not slow"

slow-test: env ## run the slow tests, most of which run the workflow in clones: half an hour on two cores
	$(PYTEST) -m slow

lint: env ## check style, types and workflow files
	pre-commit run --all-files

bench: demo ## measure speed against conventional implementations, BirdNET and the machine's limits
	uv sync --locked --inexact --group bench --extra workflow $(patsubst %,--extra %,$(subst -, ,$(EXTRAS)))
	python benchmarks/run.py

# Each output in dvc.yaml, with a * for each axis of its matrix, and what jobs write beside them. Other files may be yours.
clean: ## remove the workflow's outputs, but not DVC's cache or .venv
	rm -rf .snakemake dvc_plots logs/*.log logs/*/ \
	    data/demo/dataset data/recordings.csv data/annotations.csv data/species.csv data/ground_truth.csv \
	    data/complete.csv data/template.csv data/remarks.txt data/folds.csv data/fold_report.csv data/fold_species.csv \
	    data/splits data/sounds data/spectrograms/train data/spectrograms/test data/spectrograms/unlabelled data/pretrained/*/ \
	    data/embeddings/*/model.txt data/embeddings/*/train data/embeddings/*/test data/embeddings/*/unlabelled data/embeddings/*/.unfinished-* \
	    results/params_checked.txt results/.prune.lock results/logs results/predictions/none results/predictions/*/*/* results/supervised/*/*/* \
	    results/models/*/*/*.weights.h5 results/models/*/*/*.npz \
	    results/models/*/student/*.thresholds.csv results/models/*/student/*.metrics.json \
	    results/curves/*/*/*.csv results/epoch_weights/*/*/* results/checkpoints/*/*/* results/provenance/*@*.json \
	    results/scores results/kaggle results/figures.json results/species_metrics.csv results/provenance.json \
	    results/thresholds.csv results/reliability.csv results/model results/detections.csv results/raven \
	    results/report.html
	@for folder in logs data/spectrograms data/embeddings data/pretrained results/{predictions,supervised,models,curves,epoch_weights,checkpoints,provenance}; do \
	    [ ! -d $$folder ] || find $$folder -type d -empty -delete; \
	done
