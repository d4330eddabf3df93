#!/usr/bin/env bash
# The system's part of what Ingot needs (Debian names; Python packages: scripts/packages.py).
#   scripts/system.sh check build     one sentence naming what is missing, exit 1 if anything is
#   scripts/system.sh install test    installs what is missing with apt-get, where that is allowed
#   scripts/system.sh python          prints the Python that .venv is made with
# `build` is the library, ingot-run and the Python module; `test` adds the tests' tools.
set -euo pipefail

# The first Python of version 3.11 or later; a Python that cannot start is passed over.
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3 "$HOME"/.pyenv/versions/3.11*/bin/python \
    /usr/bin/python3.11 /usr/bin/python3; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  return 1
}

missing=()
# need WHAT PACKAGE TEST...: notes the package if the test fails.
need() {
  local what=$1 package=$2
  shift 2
  "$@" >/dev/null 2>&1 || missing+=("$what|$package")
}

has_header() {
  printf '#include <%s>\n' "$1" | c++ -std=c++20 -E -x c++ -
}

fuzzer_runtime() {
  [ -e "$(clang++ -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a" ]
}

look() {
  missing=()
  need "make" make command -v make
  need "a C++ compiler" g++ command -v c++
  need "CMake" cmake command -v cmake
  need "Ninja" ninja-build command -v ninja
  need "the FlatBuffers compiler" flatbuffers-compiler command -v flatc
  # Without a compiler no header is found; that is no news about the headers.
  if command -v c++ >/dev/null; then
    need "the FlatBuffers headers" libflatbuffers-dev has_header flatbuffers/flatbuffers.h
    need "the RapidJSON headers" rapidjson-dev has_header rapidjson/reader.h
    need "the Highway headers" libhwy-dev has_header hwy/highway.h
    need "the Eigen headers" libeigen3-dev has_header eigen3/unsupported/Eigen/FFT
  fi
  local python
  if python=$(find_python); then
    need "Python's headers" python3-dev "$python" -c \
      'import pathlib, sysconfig; (pathlib.Path(sysconfig.get_path("include")) / "Python.h").stat()'
    need "Python's venv" python3-venv "$python" -c 'import ensurepip, venv'
  else
    missing+=("Python 3.11|python3" "Python's headers|python3-dev" "Python's venv|python3-venv")
  fi
  if [ "$1" = test ]; then
    need "GoogleTest" libgtest-dev has_header gtest/gtest.h
    need "clang" clang command -v clang++
    if command -v clang++ >/dev/null; then
      need "libFuzzer" libclang-rt-14-dev fuzzer_runtime
    else
      missing+=("libFuzzer|libclang-rt-14-dev")
    fi
    need "clang-format" clang-format command -v clang-format
    need "clang-tidy" clang-tidy command -v run-clang-tidy
    need "Valgrind" valgrind command -v valgrind
    need "pkg-config" pkg-config command -v pkg-config
  fi
}

packages() { printf '%s\n' "${missing[@]##*|}"; }

complain() {
  local item list=""
  for item in "${missing[@]}"; do
    list+="${list:+, }${item%%|*} (package ${item##*|})"
  done
  echo "Ingot needs $list: run 'sudo apt-get install $(packages | paste -sd' ')'." >&2
  exit 1
}

install() {
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    # Asks for a password only if there is somebody to ask.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      sudo=(sudo)
    else
      complain
    fi
  fi
  command -v apt-get >/dev/null || complain
  echo "Installing $(packages | paste -sd' ') with apt-get"
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
  mapfile -t wanted < <(packages)
  # A fresh image has no package lists, an old one has outdated ones.
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${wanted[@]}" || true
}

case "${1:-}" in
  check)
    look "$2"
    [ ${#missing[@]} = 0 ] || complain
    ;;
  install)
    look "$2"
    if [ ${#missing[@]} != 0 ]; then
      install
      look "$2"
      [ ${#missing[@]} = 0 ] || complain
    fi
    ;;
  python)
    find_python
    ;;
  *)
    sed -n '2,6s/^# //p' "$0" >&2
    exit 2
    ;;
esac
