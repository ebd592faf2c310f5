# Redis and PostgreSQL on loopback, and Chromium, for the tests that need a real one: sourced by .ci/run. Sets
# UNRELOADER_TEST_REDIS_URL and UNRELOADER_TEST_POSTGRES_URL, and ends both servers with the shell. Debian's packages are
# installed when they are missing and can be; without a server, or a browser, its tests say that they were skipped.

services=$(mktemp -d)
service_pids=()

stop_services() {
  for pid in "${service_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${service_pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$services"
}
trap stop_services EXIT

# A port that nobody listens on now.
free_port() {
  node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# Waits, up to half a minute, until the port accepts connections.
await_port() {
  node -e '
    const net = require("node:net");
    const end = Date.now() + 30_000;
    const attempt = () => net.connect(Number(process.argv[1]), "127.0.0.1")
      .on("connect", () => process.exit(0))
      .on("error", () => (Date.now() > end ? process.exit(1) : setTimeout(attempt, 100)));
    attempt();' "$1"
}

install_packages() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
    >"$services/$1.log" 2>&1 || { tail -5 "$services/$1.log"; return 1; }
}

# The folder of PostgreSQL's own programs, which Debian keeps out of PATH.
postgres_programs() {
  ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1
}

start_redis() {
  command -v redis-server >/dev/null || install_packages redis-server || return 1
  local port
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$services" >"$services/redis.log" 2>&1 &
  service_pids+=($!)
  await_port "$port" || return 1
  export UNRELOADER_TEST_REDIS_URL="redis://127.0.0.1:$port"
}

start_postgres() {
  [ -n "$(postgres_programs)" ] || install_packages postgresql || return 1
  local programs port data="$services/postgres" as=()
  programs=$(postgres_programs)
  [ -n "$programs" ] || return 1
  mkdir "$data"
  # It refuses to run as root.
  if [ "$(id -u)" = 0 ]; then
    chmod 755 "$services"
    chown postgres "$data"
    as=(setpriv --reuid=postgres --regid=postgres --init-groups)
  fi
  (cd "$data" && "${as[@]}" "$programs/initdb" -D "$data" -U unreloader --auth=trust >"$services/initdb.log" 2>&1) || return 1
  port=$(free_port)
  (cd "$data" && exec "${as[@]}" "$programs/postgres" -D "$data" -p "$port" -h 127.0.0.1 -k "$data" -F) \
    >"$services/postgres.log" 2>&1 &
  service_pids+=($!)
  await_port "$port" || return 1
  export UNRELOADER_TEST_POSTGRES_URL="postgres://unreloader@127.0.0.1:$port/postgres"
}

start_redis || echo "no Redis here: its tests will be skipped"
start_postgres || echo "no PostgreSQL here: its tests will be skipped"

# While the unit tests run: it takes a minute, and no test of these needs it.
install_browser() {
  [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || install_packages chromium
}
{ install_browser || echo "no Chromium here: the tests in a browser will be skipped"; } &
