#!/usr/bin/env bash
# Every check of emla. Arguments go to pytest; with arguments, only pytest runs.
#
# Installs what is missing (as root, by apt), starts RabbitMQ and PostgreSQL on ports of its own,
# and stops them whatever happens. Exit status: pytest's; 2 if something is missing.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
services=$PWD/.run/test.$$
pytest_pid=

# --- What must be there -------------------------------------------------------------------------
missing() {
    local postgres=(/usr/lib/postgresql/*/bin/postgres)
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || echo rabbitmq-server
    [ -x "${postgres[0]}" ] || echo postgresql
    command -v xmlsec1 > /dev/null || echo xmlsec1
    command -v openssl > /dev/null || echo openssl
    command -v softhsm2-util > /dev/null || echo softhsm2
    command -v javac > /dev/null || echo default-jdk-headless
    command -v mvn > /dev/null || echo maven
    command -v chromium > /dev/null || echo chromium
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || echo fonts-dejavu-core
}

install_packages() {
    local log=$PWD/.run/apt.log policy=/usr/sbin/policy-rc.d made=
    mkdir -p .run
    # The packages' own services must not start: tests bring up theirs on ports of their own.
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod 755 "$policy"
        made=yes
    fi
    local status=0
    install_once "$@" > "$log" 2>&1 || {
        # Perhaps the package lists are missing or old.
        { apt-get update -q && install_once "$@"; } >> "$log" 2>&1 || status=$?
    }
    [ -z "$made" ] || rm -f "$policy"
    [ "$status" = 0 ] || { tail -n 5 "$log" >&2; return "$status"; }
}

install_once() {
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

ensure_packages() {
    local wanted
    mapfile -t wanted < <(missing)
    [ ${#wanted[@]} = 0 ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        echo "Installing ${wanted[*]} ..."
        install_packages "${wanted[@]}" || echo "apt-get failed; see .run/apt.log" >&2
        mapfile -t wanted < <(missing)
        [ ${#wanted[@]} = 0 ] && return
    fi
    echo "The tests need: ${wanted[*]}" >&2
    echo "As root: apt-get update && apt-get install ${wanted[*]}" >&2
    exit 2
}

# --- Services -----------------------------------------------------------------------------------
stop_services() { # folder
    EMLA_SERVICES=$1 deploy/services.sh stop > /dev/null 2>&1 || true
    rm -rf "$1"
}

stop_leftovers() { # of test runs that were killed
    local folder
    for folder in .run/test.*; do
        [ -d "$folder" ] || continue
        kill -0 "${folder##*.}" 2> /dev/null || stop_services "$PWD/$folder"
    done
}

finish() {
    local status=$?
    trap '' INT TERM
    if [ -n "$pytest_pid" ] && kill -0 "$pytest_pid" 2> /dev/null; then
        kill -INT "$pytest_pid" 2> /dev/null || true
        for _ in $(seq 100); do kill -0 "$pytest_pid" 2> /dev/null || break; sleep 0.1; done
        kill -KILL "$pytest_pid" 2> /dev/null || true
    fi
    stop_services "$services"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- Checks -------------------------------------------------------------------------------------
ensure_packages
stop_leftovers

mkdir -p "$services"

if [ $# = 0 ]; then
    "$bin/ruff" format --check --quiet .
    "$bin/ruff" check --quiet .
    "$bin/mypy" --no-error-summary
    "$bin/lint-imports" --no-cache > .run/lint-imports.log 2>&1 || { cat .run/lint-imports.log; exit 1; }
fi

environment=$(EMLA_SERVICES=$services deploy/services.sh start)
eval "$environment"

# In the background, so that a signal to this script is answered at once; `env` undoes that
# background processes ignore Ctrl-C.
env --default-signal=INT "$bin/pytest" -n 2 --dist loadfile "$@" &
pytest_pid=$!
status=0
wait "$pytest_pid" || status=$?
pytest_pid=
exit "$status"
