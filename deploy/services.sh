#!/usr/bin/env bash
# RabbitMQ and PostgreSQL for tests, on free ports of loopback, as throw-away instances.
#
#   eval "$(deploy/services.sh start)"   start what is not running; prints the environment
#   deploy/services.sh stop              stop, and delete their data
#   deploy/services.sh halt rabbitmq     stop one, data and ports kept (fault tests); -k: SIGKILL
#   deploy/services.sh start rabbitmq    ... and start it again as it was
#
# Everything lives below $EMLA_SERVICES (default: .run/services of the checkout).
set -eu
cd "$(dirname "$0")/.."
folder=${EMLA_SERVICES:-$PWD/.run/services}

die() { echo "services.sh: $*" >&2; exit 2; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

secret() { python3 -c 'import secrets; print(secrets.token_hex(16))'; }

alive() { [ -s "$1" ] && kill -0 "$(head -n 1 "$1")" 2>/dev/null; }

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_for_port() { # name, port, pid file, log
    for _ in $(seq 600); do
        listening "$2" && return 0
        sleep 0.1
        alive "$3" || { tail -n 20 "$4" >&2; die "$1 ended while it was starting; see $4"; }
    done
    die "$1 did not listen on port $2 within a minute; see $4"
}

end_process() { # pid file, signal
    alive "$1" || { rm -f "$1"; return 0; }
    kill "-$2" "$(head -n 1 "$1")"
    for _ in $(seq 300); do alive "$1" || { rm -f "$1"; return 0; }; sleep 0.1; done
    kill -KILL "$(head -n 1 "$1")" 2>/dev/null || true
    rm -f "$1"
}

# --- RabbitMQ -------------------------------------------------------------------------------
rabbitmq_start() {
    local home=$folder/rabbitmq server=/usr/lib/rabbitmq/bin/rabbitmq-server
    [ -x "$server" ] || die "RabbitMQ is missing: apt-get install rabbitmq-server"
    if [ ! -f "$home/ports" ]; then
        mkdir -p "$home/home"
        echo "port=$(free_port) dist=$(free_port) epmd=$(free_port) password=$(secret)" \
            > "$home/ports"
        echo "[]." > "$home/plugins"
    fi
    local port dist epmd password
    # shellcheck source=/dev/null
    . "$home/ports"
    if ! alive "$home/epmd.pid"; then
        setsid env ERL_EPMD_ADDRESS=127.0.0.1 epmd -port "$epmd" > "$home/epmd.log" 2>&1 3>&- < /dev/null &
        echo $! > "$home/epmd.pid"
    fi
    if ! alive "$home/server.pid"; then
        printf '%s\n' "listeners.tcp.local = 127.0.0.1:$port" "default_user = emla" \
            "default_pass = $password" "disk_free_limit.absolute = 50MB" \
            "log.console = false" "log.file.level = warning" > "$home/rabbitmq.conf"
        chmod 600 "$home/rabbitmq.conf" "$home/ports"
        # Busy-waiting schedulers would take the processor from the tests.
        HOME=$home/home RABBITMQ_NODENAME="emla$port@localhost" RABBITMQ_NODE_PORT=$port \
            RABBITMQ_DIST_PORT=$dist ERL_EPMD_PORT=$epmd ERL_EPMD_ADDRESS=127.0.0.1 \
            RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf RABBITMQ_MNESIA_BASE=$home/data \
            RABBITMQ_LOG_BASE=$home/log RABBITMQ_PID_FILE=$home/node.pid \
            RABBITMQ_ENABLED_PLUGINS_FILE=$home/plugins \
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none" \
            setsid "$server" > "$home/server.log" 2>&1 3>&- < /dev/null &
        echo $! > "$home/server.pid"
    fi
    wait_for_port RabbitMQ "$port" "$home/server.pid" "$home/server.log"
    echo "export EMLA_TEST_AMQP=amqp://emla:$password@127.0.0.1:$port/%2F"
}

rabbitmq_halt() { # signal
    local home=$folder/rabbitmq
    [ -d "$home" ] || return 0
    # The script waits for the virtual machine, whose process id is in node.pid.
    end_process "$home/node.pid" "$1"
    end_process "$home/server.pid" "$1"
    end_process "$home/epmd.pid" TERM
}

# --- PostgreSQL -----------------------------------------------------------------------------
as_postgres() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid postgres --regid postgres --clear-groups -- "$@"
    else
        "$@"
    fi
}

postgresql_start() {
    local home=$folder/postgresql bin port password data
    bin=$(for d in /usr/lib/postgresql/*/bin; do echo "$d"; done | sort -V | tail -n 1)
    [ -x "$bin/postgres" ] || die "PostgreSQL is missing: apt-get install postgresql"
    if [ ! -f "$home/ports" ]; then
        mkdir -p "$home"
        # Not below the checkout, which the database's user may be unable to reach.
        data=$(mktemp -d -t emla-postgresql.XXXXXX)
        password=$(secret)
        echo "$password" > "$data/password"
        [ "$(id -u)" != 0 ] || chown -R postgres:postgres "$data"
        (cd "$data" && as_postgres "$bin/initdb" --pgdata="$data/cluster" --username=emla \
            --encoding=UTF8 --locale=C.UTF-8 --auth=scram-sha-256 \
            --pwfile="$data/password" > "$data/initdb.log" 2>&1) \
            || { tail -n 20 "$data/initdb.log" >&2; die "initdb failed"; }
        echo "port=$(free_port) password=$password data=$data" > "$home/ports"
        chmod 600 "$home/ports"
    fi
    # shellcheck source=/dev/null
    . "$home/ports"
    if ! alive "$data/cluster/postmaster.pid"; then
        rm -f "$data/cluster/postmaster.pid"
        cd "$data" # a folder that the database's user can enter
        as_postgres setsid "$bin/postgres" -D "$data/cluster" \
            -c listen_addresses=127.0.0.1 -c port="$port" -c unix_socket_directories= \
            -c max_connections=200 > "$home/server.log" 2>&1 3>&- < /dev/null &
        cd "$OLDPWD"
        for _ in $(seq 100); do alive "$data/cluster/postmaster.pid" && break; sleep 0.1; done
    fi
    wait_for_port PostgreSQL "$port" "$data/cluster/postmaster.pid" "$home/server.log"
    echo "export EMLA_TEST_POSTGRESQL=postgresql+psycopg://emla:$password@127.0.0.1:$port/postgres"
}

postgresql_halt() { # signal
    local home=$folder/postgresql data="" signal=$1
    [ -f "$home/ports" ] || return 0
    # shellcheck source=/dev/null
    . "$home/ports"
    [ "$signal" = TERM ] && signal=INT # "fast": does not wait for clients
    end_process "$data/cluster/postmaster.pid" "$signal"
}

# --------------------------------------------------------------------------------------------
verb=${1:-}; shift || true
signal=TERM
[ "${1:-}" = -k ] && { signal=KILL; shift; }
services=${*:-rabbitmq postgresql}
for service in $services; do
    case $service in rabbitmq|postgresql) ;; *) die "unknown service $service" ;; esac
done
case $verb in
    start)
        umask 077
        mkdir -p "$folder"
        # Several shells may ask at once.
        exec 3> "$folder/lock"; flock 3
        for service in $services; do "${service}_start"; done
        ;;
    halt) for service in $services; do "${service}_halt" "$signal"; done ;;
    stop)
        for service in $services; do
            "${service}_halt" "$signal"
            if [ -f "$folder/postgresql/ports" ] && [ "$service" = postgresql ]; then
                data=""
                # shellcheck source=/dev/null
                . "$folder/postgresql/ports"
                rm -rf "$data"
            fi
            rm -rf "${folder:?}/$service"
        done
        ;;
    *) die "usage: services.sh start|halt|stop [-k] [rabbitmq] [postgresql]" ;;
esac
