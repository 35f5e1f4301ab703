# Each target works on its own from a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-output
BENCH_SONGS ?= $(HOME)/.cache/automix-bench
CORPUS ?= $(HOME)/.cache/automix-corpus

.PHONY: demo test browser-test check docs wheel bench bench-songs converter-tables corpus encoder encoder-tables converter library-scale separator separator-tables clean

demo: $(VENV)/.installed  ## transfer the style of one example song to another
	mkdir -p $(DEMO)
	$(BIN)/automix transfer examples/input.flac examples/reference.flac \
		--separator builtin -o $(DEMO)/output.flac --save $(DEMO) --overwrite

test: $(VENV)/.installed-dev  ## the tests but for slow ones and the browser's, a thread for each of as many processes as there are cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

browser-test: $(VENV)/.installed-dev  ## drive the pages in a Chromium that is on this machine
	$(BIN)/pip install -q -c constraints.txt -e '.[browser]'
	$(BIN)/python -m pytest -m browser

check: $(VENV)/.installed-dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	sh tests/check_types.sh $(CURDIR)/$(BIN)

docs: $(VENV)/.installed-dev  ## build the documentation into site/; once the packages are there, without a network
	$(BIN)/python -c 'import material, mkdocstrings_handlers.python' 2>/dev/null || \
		$(BIN)/pip install -q -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel:  ## build a wheel, checkpoints included, into dist/
	rm -rf build dist
	$(PYTHON) -m venv .venv-build
	.venv-build/bin/pip install -q build
	.venv-build/bin/python -m build --wheel -o dist .

bench-songs: $(VENV)/.installed  ## fetch the benchmark's songs (Debian packages, 740 MB, kept outside the checkout)
	$(BIN)/python -m styletransfer.evaluation.songs --folder '$(BENCH_SONGS)'

bench: bench-songs  ## measure automix beside do nothing and Matchering; writes bench-output/
	$(BIN)/automix evaluate converter --no-truth --songs '$(BENCH_SONGS)' --threads 2 --output bench-output

converter-tables: bench-songs  ## measure converters with a truth and without, beside all baselines, with SECOND=FILE by a second encoder, too; writes converter-output/
	$(BIN)/automix evaluate converter --corpus '$(CORPUS)' --songs '$(BENCH_SONGS)' --refine 60 \
		$(if $(SECOND),--second-encoder '$(SECOND)') --threads 2 --output converter-output

corpus: $(VENV)/.installed-dev  ## build the training corpus (see docs/corpus.md for the Debian packages it needs)
	$(BIN)/pip install -q -c constraints.txt -e '.[corpus]'
	$(BIN)/automix corpus build '$(CORPUS)'
	$(BIN)/automix corpus finished '$(CORPUS)'

encoder: $(VENV)/.installed-dev  ## train an FXencoder as the shipped one was (its card says what differs), 50 minutes on 2 cores; into encoder-run/
	$(BIN)/automix train encoder '$(CORPUS)' --recipe cpu -o encoder-run/first
	$(BIN)/automix train encoder '$(CORPUS)' --recipe cpu --material encoder-run/first -o encoder-run
	$(BIN)/automix train encoder '$(CORPUS)' --recipe classifier --material encoder-run/first \
		--name mee-small -o encoder-run/classifier

encoder-tables: $(VENV)/.installed-dev  ## measure the shipped encoder beside its baselines; writes encoder-output/
	$(BIN)/automix evaluate encoder --corpus '$(CORPUS)' --output encoder-output

converter: $(VENV)/.installed-dev  ## train the console network, an hour and a half on 2 cores with a corpus of 6 hours; into converter-run/
	$(BIN)/automix train converter '$(CORPUS)' --recipe console -o converter-run/first
	$(BIN)/automix train converter '$(CORPUS)' --recipe console-by-ear --material converter-run/first/passages \
		--from converter-run/first/console-small-*.safetensors -o converter-run

separator: $(VENV)/.installed-dev  ## train the splitter of drums, bass and other, two hours on 2 cores; into separator-run/
	$(BIN)/automix train separator '$(CORPUS)' --recipe cpu -o separator-run/first
	$(BIN)/automix train separator '$(CORPUS)' --recipe cpu-again --seed 1 -o separator-run \
		--from separator-run/first/splitter-small-*.safetensors

separator-tables: $(VENV)/.installed-dev  ## measure builtin beside its baselines and an oracle, also on REAL=DIR of recordings; writes separator-output/
	$(BIN)/pip install -q --no-deps stempeg
	$(BIN)/automix evaluate separator --corpus '$(CORPUS)' --songs 12 $(if $(REAL),--real '$(REAL)') --output separator-output

library-scale: $(VENV)/.installed-dev  ## measure searches of a million styles beside comparing all: 10 minutes, 4 GB of disk
	$(BIN)/python -m styletransfer.library.scale

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf build dist site $(DEMO) .venv .venv-build *.egg-info
