#!/usr/bin/env bash
# Messages a second end to end, beside the ceiling of the signatures alone. Arguments go to
# `python -m tests.bench`. Starts RabbitMQ and PostgreSQL on ports of their own if they are there.
set -eu
cd "$(dirname "$0")/.."
services=$PWD/.run/bench.$$
finish() {
    EMLA_SERVICES=$services deploy/services.sh stop > /dev/null 2>&1 || true
    rm -rf "$services"
}
trap finish EXIT
mkdir -p "$services"
environment=$(EMLA_SERVICES=$services deploy/services.sh start)
eval "$environment"
.venv/bin/python -m tests.bench "$@"
