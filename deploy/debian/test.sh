#!/bin/sh
# Has the package looked at by lintian, installed beside this system and not in it, tried, and removed again without a trace. Needs dpkg;
# lintian where it is there. The package: deploy/debian/build.sh makes it.
set -eu
package=$(readlink -f "$1")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
: >"$root/var/lib/dpkg/status"

if command -v lintian >/dev/null; then
    lintian --fail-on error,warning --allow-root "$package"
else
    echo "lintian is not on this machine: what it would say of the package is left out" >&2
fi

# What it depends on is this system's, which that directory does not know.
dpkg --root="$root" --force-depends --force-not-root --log=/dev/null --install "$package" >/dev/null 2>&1
"$root/usr/bin/rentsync-relay" --version
for page in rentsync-relay rentsync-relay-run; do
    gzip --test "$root/usr/share/man/man1/$page.1.gz"
done
bash -n "$root/usr/share/bash-completion/completions/rentsync-relay"
for file in usr/share/zsh/vendor-completions/_rentsync-relay usr/share/fish/vendor_completions.d/rentsync-relay.fish \
    usr/lib/systemd/system/rentsync-relay.service usr/share/doc/rentsync-relay/runbook.md \
    usr/share/doc/rentsync-relay/examples/relay.example.toml; do
    test -s "$root/$file" || { echo "the package lacks $file" >&2; exit 1; }
done

dpkg --root="$root" --force-not-root --log=/dev/null --purge rentsync-relay >/dev/null 2>&1
left=$(find "$root/usr" "$root/etc" -type f 2>/dev/null || true)
test -z "$left" || { echo "left behind: $left" >&2; exit 1; }
echo "the package is sound, is installed and is gone again"
