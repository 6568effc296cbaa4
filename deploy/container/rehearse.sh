#!/usr/bin/env bash
# Runs the Containerfile's steps in clean Debian roots, without a container engine: builds the
# program in one, installs it in another, makes a place there and asks it whether it is healthy.
# Needs root, mmdebstrap (installed if it can be) and the machine's own Rust toolchain, which is
# shown to the first root read-only. Fails, and says why, where that is not to be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() { echo "container rehearsal: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root, to enter another root"
if ! command -v mmdebstrap >/dev/null; then
  command -v apt-get >/dev/null || die "needs mmdebstrap"
  apt-get update -qq && apt-get install -y -qq --no-install-recommends mmdebstrap
fi
# Mounts made from here on vanish with this process.
[ "${1:-}" = inside ] || exec unshare --mount --propagation private bash "${BASH_SOURCE[0]}" inside

cache="${RACCORD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/raccord}/container"
mkdir -p "$cache/target"
toolchain="$(rustc --print sysroot)"
work="$(mktemp -d "${TMPDIR:-/tmp}/raccord-root.XXXXXX")"
daemon=
clean() {
  if [ -n "$daemon" ]; then
    kill -KILL "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
  fi
  umount --recursive "$work/build" "$work/run" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap clean EXIT

echo "-- a clean Debian root, twice"
[ -f "$cache/bookworm.tar" ] || {
  mmdebstrap --quiet --variant=minbase --format=tar bookworm "$cache/bookworm.tar.part"
  mv "$cache/bookworm.tar.part" "$cache/bookworm.tar"
}
for root in build run; do
  mkdir "$work/$root"
  mount -t tmpfs -o size=6G tmpfs "$work/$root"
  tar -xf "$cache/bookworm.tar" -C "$work/$root"
  cp /etc/resolv.conf /etc/hosts "$work/$root/etc/"
  mount --bind /dev "$work/$root/dev"
  mount -t proc proc "$work/$root/proc"
done

echo "-- build (steps.sh tools, build)"
cargo fetch --locked --quiet
root="$work/build"
mkdir -p "$root/toolchain" "$root/cargo" "$root/build" "$root/source" "$root/made"
mount --bind -o ro "$toolchain" "$root/toolchain"
mount --bind "${CARGO_HOME:-$HOME/.cargo}" "$root/cargo"
mount --bind "$cache/target" "$root/build"
git archive HEAD | tar -x -C "$root/source"
cp deploy/container/steps.sh "$root/steps.sh"
enter() {
  chroot "$root" /usr/bin/env -i HOME=/tmp PATH=/toolchain/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
enter sh /steps.sh tools
enter OUT=/made CARGO_TARGET_DIR=/build CARGO_HOME=/cargo CARGO_NET_OFFLINE=true \
  sh -c 'cd /source && sh /steps.sh build'

echo "-- install (steps.sh install), and a first place"
mkdir -p "$work/run/made" "$work/run/usr/lib/raccord"
cp "$work/build/made/raccord" "$work/run/made/"
cp deploy/container/steps.sh deploy/container/healthy.sh "$work/run/usr/lib/raccord/"
root="$work/run"
enter OUT=/made sh /usr/lib/raccord/steps.sh install
rm -r "$work/run/made"
as_raccord() { # exec: in the background, its process is the daemon's own
  exec chroot --userspec=raccord:raccord "$root" /usr/bin/env -i HOME=/var/lib/raccord \
    PATH=/usr/bin:/bin RACCORD__WEB__LISTEN=127.0.0.1:17070 RACCORD_NOW=2027-01-02T08:00:00Z "$@"
}
(as_raccord raccord --version)
(as_raccord sh -c 'cd /var/lib/raccord && raccord init place --yes && raccord --config place/raccord.toml sync')
find "$work/run/var/lib/raccord/place" -name 'programme-*.pdf' | grep -q . || die "no programme was printed"
find "$work/run/var/lib/raccord/place" -name 'index.html' | grep -q . || die "no site was written"

as_raccord raccord --config /var/lib/raccord/place/raccord.toml run &
daemon=$!
for attempt in $(seq 1 50); do
  if (as_raccord bash /usr/lib/raccord/healthy.sh) 2>/dev/null; then
    kill -TERM "$daemon"
    wait "$daemon" || die "the daemon did not stop cleanly"
    daemon=
    echo "-- healthy after $attempt looks, and stopped cleanly"
    exit 0
  fi
  kill -0 "$daemon" 2>/dev/null || die "the daemon ended by itself"
  sleep 0.2
done
die "not healthy within 10 seconds"
