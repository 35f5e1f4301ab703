#!/bin/sh
# mypy sees imports between the rooms on the installed package, from another folder.
# usage: check_types.sh BIN
set -e
bin=$1
root=$(cd "$(dirname "$0")/.." && pwd)
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
mkdir "$site/styletransfer"
cp -r "$root"/styletransfer/. "$site/styletransfer"
for room in encoder converter cli checkpoints; do cp -r "$root/$room" "$site/styletransfer/$room"; done
cd "$site"
MYPYPATH=$site "$bin/mypy" --config-file "$root/pyproject.toml" --cache-dir "$root/.mypy_cache" -p styletransfer
