#!/bin/sh
# What the Containerfile does, step by step, so that a plain Debian root can do the same
# (deploy/container/rehearse.sh). Usage: steps.sh tools|build|install
set -eu

case "${1:-}" in
  # What building takes besides Rust: a C compiler, for SQLite and ring.
  tools)
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev
    rm -rf /var/lib/apt/lists/*
    ;;
  # In the source folder: makes $OUT/raccord.
  build)
    cargo build --release --locked --package raccord
    install -D -m 0755 "${CARGO_TARGET_DIR:-target}/release/raccord" "$OUT/raccord"
    ;;
  # In the final root, with $OUT/raccord: nothing is installed but the program, its account and its
  # folders. Time zones, root certificates and fonts are inside the program.
  install)
    install -D -m 0755 "$OUT/raccord" /usr/bin/raccord
    groupadd --gid 10001 raccord
    useradd --uid 10001 --gid raccord --no-create-home \
      --home-dir /var/lib/raccord --shell /usr/sbin/nologin raccord
    install -d -m 0755 /etc/raccord
    install -d -m 0750 -o raccord -g raccord /var/lib/raccord
    ;;
  *)
    echo "usage: steps.sh tools|build|install" >&2
    exit 2
    ;;
esac
