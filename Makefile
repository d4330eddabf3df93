# make quickstart   build, export four models, run them in C++, compare with PyTorch
# make build        .venv with `ingot`, build/libingot.so, build/libingot-linalg.so, build/ingot-run
# make test         everything that .ci/run checks
# make footprint    size, start, memory and call times beside the budgets
# make bench        all models beside PyTorch, ONNX Runtime, OpenVINO, ...: benchmarks/RESULTS.md
# make help         all targets

PYTHON := .venv/bin/python
JOBS := $(shell nproc)
FUZZ_SECONDS := 120
FUZZ_FLAGS :=
DTYPES := float32,float64,float16,bfloat16,int8,int16,int32,int64,uint8,bool,complex64,complex128
CXX_FILES = $(shell git ls-files '*.h' '*.cpp' '*.c')
PYTHON_FILES = python tests examples scripts benchmarks tools
export PYTHONPATH := python:.

help:
	@sed -n 's/^# \(make .*\)/\1/p; s/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

quickstart: setup-export build ## see above
	@$(PYTHON) scripts/quickstart.py

setup-export:
	@scripts/system.sh install build
	@$$(scripts/system.sh python) scripts/packages.py export

setup: ## installs all that building and testing need
	@scripts/system.sh install test
	@$$(scripts/system.sh python) scripts/packages.py test

build: ## see above
	@scripts/system.sh check build
	@$$(scripts/system.sh python) scripts/packages.py build
	@[ -f build/build.ninja ] || cmake -S . -B build -G Ninja -DINGOT_TESTS=OFF \
	  -DPython_EXECUTABLE=$(CURDIR)/$(PYTHON)
	@ninja -C build -j$(JOBS) ingot ingot-linalg ingot-run _ingot _ingot_stub program_schema_python

build-tests: build
	@cmake -S . -B build -DINGOT_TESTS=ON >build/configure.log || { cat build/configure.log; false; }
	@ninja -C build -j$(JOBS)

# Address and undefined-behaviour sanitizers over the C++ tests and the fuzz target.
build-asan:
	@[ -f build-asan/build.ninja ] || cmake -S . -B build-asan -G Ninja \
	  -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
	  -DINGOT_SANITIZE=address,undefined,fuzzer-no-link -DINGOT_FUZZ=ON -DINGOT_PYTHON=OFF
	@ninja -C build-asan -j$(JOBS)

test: setup ## see above
	@$(PYTHON) scripts/run_tests.py

test-cpp: build-tests ## the C++ tests
	build/tests/cpp/ingot-tests --gtest_brief=1
	build/tests/cpp/component/ingot-component-tests --gtest_brief=1

# Without the largest products and convolutions, whose code smaller ones run too.
test-asan: build-asan ## the C++ tests under address and undefined-behaviour sanitizers
	ASAN_OPTIONS=allocator_may_return_null=1 \
	  build-asan/tests/cpp/ingot-tests --gtest_brief=1 --gtest_filter=-'*BeyondOneBlock'
	build-asan/tests/cpp/component/ingot-component-tests --gtest_brief=1

# The calls of ops on OpInfo's samples and error inputs, replayed without Python.
test-ops-asan: build build-asan ## the ops under address and undefined-behaviour sanitizers
	$(PYTHON) -m tests.ops.cases build-asan/cases.ingot
	ASAN_OPTIONS=allocator_may_return_null=1 \
	  build-asan/tests/cpp/component/ingot-replay build-asan/cases.ingot

test-avx512: ## the kernels' C++ tests on an emulated processor with AVX-512, FILTER='Gemm.*'
	@scripts/emulate_avx512.sh '$(FILTER)'

# The interpreter, the planner, the loader and what they stand on. Names are regular expressions.
TIDY := runtime/(api|base|exec|file|tensor)/
tidy: build-asan ## clang-tidy over the core, TIDY=runtime/ for everything (a quarter of an hour)
	@run-clang-tidy -quiet -p build-asan -j $(JOBS) '$(TIDY)' >build-asan/tidy.log 2>&1 || \
	  { grep -A3 -E '(error|warning): ' build-asan/tidy.log; false; }
	@echo "clang-tidy finds nothing in $(TIDY)"

test-tsan: ## the C++ tests that call from many threads under the thread sanitizer
	@[ -f build-tsan/build.ninja ] || cmake -S . -B build-tsan -G Ninja \
	  -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DINGOT_SANITIZE=thread \
	  -DINGOT_PYTHON=OFF -DINGOT_LINALG=OFF
	@ninja -C build-tsan -j$(JOBS) ingot-tests
	build-tsan/tests/cpp/ingot-tests --gtest_brief=1 --gtest_filter='Threads.*:*Thread*'

fuzz: build-asan ## the loader on damaged files, FUZZ_SECONDS=120 FUZZ_FLAGS=-seed=7
	@mkdir -p build-asan/corpus
	build-asan/tests/fuzz/write-seeds build-asan/seeds
	build-asan/tests/fuzz/fuzz-loader -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	  -rss_limit_mb=1024 -max_len=16384 -artifact_prefix=build-asan/ $(FUZZ_FLAGS) \
	  build-asan/corpus build-asan/seeds

test-python: build-tests ## the Python tests
	$(PYTHON) -m pytest -n $(JOBS) -q --durations=15

# Some thousand units and all their samples, which takes hours; WALK="--only fft --samples 4" and
# such: see tests/ops/walk.py.
test-ops-all: build ## PyTorch's whole OpInfo database, every dtype, WALK='--only fft'
	$(PYTHON) -m tests.ops.walk --dtypes $(DTYPES) --jobs $(JOBS) --samples 0 \
	  --json build/outcomes.json $(WALK)

ops-table: test-ops-all ## docs/ops.md from such a walk
	$(PYTHON) -m tests.ops.table build/outcomes.json

test-models-all: build ## families of models and full-size ones, MODELS='swin|/bert'
	$(PYTHON) -m tests.models.all --only '$(MODELS)'

test-speed: build ## ratios to eager PyTorch, instructions per node, the choice of kernels
	@$(PYTHON) -m benchmarks.speed_check
	@cmake -S . -B build -DINGOT_TESTS=ON >build/configure.log || { cat build/configure.log; false; }
	@ninja -C build -j$(JOBS) ingot-kernel-bench
	@build/ingot-kernel-bench --choice >build/choice.log || { grep WRONG build/choice.log; false; }
	@echo "the fastest convolution is chosen in $$(grep -c ^ok build/choice.log) cases"

lint: ## ruff, mypy, clang-format
	$(PYTHON) -m ruff check $(PYTHON_FILES)
	$(PYTHON) -m ruff format --check $(PYTHON_FILES)
	$(PYTHON) -m mypy
	clang-format --dry-run -Werror $(CXX_FILES)

format: ## lays out all sources as lint wants them
	$(PYTHON) -m ruff check --fix-only $(PYTHON_FILES)
	$(PYTHON) -m ruff format $(PYTHON_FILES)
	clang-format -i $(CXX_FILES)

footprint: build ## see above
	@$(PYTHON) benchmarks/footprint.py

# ARGS="--models resnet18 --quick" and such: make bench ARGS=--help
bench: build ## see above
	@$$(scripts/system.sh python) scripts/packages.py bench
	@ninja -C build -j$(JOBS) ingot-kernel-bench
	@.venv-bench/bin/python -m benchmarks.bench $(ARGS)

clean: ## removes what builds made, keeps .venv
	rm -rf build build-asan python/ingot/_ingot*.so python/ingot/file/_fb

.PHONY: help quickstart setup-export setup build build-tests build-asan test test-cpp \
  test-asan test-ops-asan test-avx512 fuzz test-python test-ops-all ops-table test-models-all test-speed lint format footprint bench clean
