# Everything from a bare checkout. Needs only make and Python >= 3.11 with venv; `make` alone lists the targets.

PORT     ?= 8000
DATA_DIR ?= .minzheng
UV       ?= uv
PYTEST   ?=

VENV := .venv
PY   := $(VENV)/bin/python
PIP  := $(PY) -m pip --disable-pip-version-check --no-input install --quiet --require-hashes
LOCK  = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -q pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help run test test-long reset bench lint lock openapi install install-dev

help: ## 列出可用命令 / this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/'

run: install ## 启动演示系统（PORT=8000 DATA_DIR=.minzheng），Ctrl-C 停止 / run the demo
	@exec $(VENV)/bin/minzheng serve --demo --port "$(PORT)" --data-dir "$(DATA_DIR)"

test: install-dev ## 运行测试（约 10 分钟） / the test suite
	@$(PY) -m pytest -n 2 --dist loadgroup -m "not long" $(PYTEST)

test-long: install-dev ## 运行长测试 / state machines at full length, kill -9 loops, big files
	@MINZHENG_THOROUGH=1 $(PY) -m pytest -m "long or thorough" $(PYTEST)

reset: install ## 清空演示数据（先询问） / forget the demo data (asks first)
	@$(VENV)/bin/minzheng db reset --data-dir "$(DATA_DIR)"

bench: install ## 性能对比（短规模约四分钟；BENCH=--full 为完整规模） / ratios against OpenFisca, numpy, plain SQL, a bare route
	@$(PY) bench/summary.py $(BENCH)

lint: install-dev ## 代码检查 / linters and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy app tests

openapi: install ## 重新生成 openapi/v1.json / regenerate the published contract
	@$(VENV)/bin/minzheng openapi

lock: ## 重新锁定依赖（需要 uv） / lock the dependencies again
	@$(LOCK) -o requirements.txt
	@$(LOCK) --group dev -c requirements.txt -o requirements-dev.txt
	@$(filter-out pyproject.toml,$(LOCK)) --group bench -o requirements-bench.txt

install: $(VENV)/run.stamp $(VENV)/bin/minzheng

install-dev: $(VENV)/dev.stamp $(VENV)/bin/minzheng

# The stamps make the second start fast; a changed lock file, or a Python that is gone, installs again.
ifneq ($(shell $(PY) -c 'print("works")' 2>/dev/null),works)
.PHONY: $(VENV)/created
endif

PYTHON_WORKS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

$(VENV)/created:
	@$(PY) -c 'import pip; $(PYTHON_WORKS)' >/dev/null 2>&1 && touch $@ && exit 0; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		"$$python" -c '$(PYTHON_WORKS)' >/dev/null 2>&1 || continue; \
		echo "正在建立虚拟环境 $(VENV)（$$("$$python" -V)）……"; \
		rm -rf $(VENV) && "$$python" -m venv $(VENV) && touch $@ && exit 0; \
		exit 1; \
	done; \
	echo "需要 Python 3.11 以上并带 venv（Debian/Ubuntu：apt install python3-venv），可用 make PYTHON=路径 指定。" >&2; \
	echo "Python >= 3.11 with venv is needed (Debian/Ubuntu: apt install python3-venv); name one with make PYTHON=path." >&2; \
	exit 1

$(VENV)/run.stamp: requirements.txt $(VENV)/created
	@echo "正在安装锁定的依赖（首次约需一分钟）……"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/created
	@echo "正在安装锁定的开发依赖（首次约需一分钟）……"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

# A script instead of an editable install: needs no build backend and no network, and survives a moved checkout.
define MINZHENG_SCRIPT
#!/bin/sh
root=$$(cd "$$(dirname -- "$$0")/../.." && pwd -P) || exit 1
PYTHONPATH="$$root$${PYTHONPATH:+:$$PYTHONPATH}" exec "$$root/$(VENV)/bin/python" -m app.cli "$$@"
endef
export MINZHENG_SCRIPT

$(VENV)/bin/minzheng: Makefile $(VENV)/created
	@printf '%s\n' "$$MINZHENG_SCRIPT" > $@
	@chmod 755 $@
