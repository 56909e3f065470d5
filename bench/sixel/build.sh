#!/bin/sh
# Builds the peers: build.sh PROGRAM
# Needs a C compiler, pkg-config, libsixel, chafa and glib with their headers.
set -eu
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -o "$1" "$(dirname "$0")/peers/peers.c" \
	$(pkg-config --cflags --libs libsixel chafa glib-2.0)
