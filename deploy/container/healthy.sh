#!/bin/bash
# Asks /healthz of the Raccord in this container, with nothing but bash.
set -eu
port="${RACCORD__WEB__LISTEN##*:}"
exec 3<>"/dev/tcp/127.0.0.1/${port:-7070}"
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 5 _ status _ <&3
[ "$status" = 200 ]
