#!/bin/sh
# Builds the Debian package of the relay alone, with its manual's pages and completions, and prints where it is. Needs cargo-deb
# (`cargo install --locked cargo-deb`). PROFILE=dev packs a quick build instead, to try the packaging itself.
set -eu
cd "$(dirname "$0")/../.."
profile=${PROFILE:-release}
case $profile in dev) built=target/debug ;; *) built=target/$profile ;; esac

if [ "$profile" = release ]; then
    cargo build --locked --release --no-default-features
else
    cargo build --locked --profile "$profile" --bin rentsync-relay
fi
made=target/package
rm -rf "$made"
mkdir -p "$made/man" "$made/completions"
"$built/rentsync-relay" man "$made/man" >/dev/null
gzip --best --no-name "$made"/man/*.1
for shell in bash zsh fish; do
    "$built/rentsync-relay" completions "$shell" >"$made/completions/$shell"
done
gzip --best --no-name <CHANGELOG.md >"$made/changelog.gz"
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
cat >"$made/changelog" <<END
rentsync-relay ($version-1) unstable; urgency=medium

  * What changed stands in /usr/share/doc/rentsync-relay/changelog.gz.

 -- AiGent Integration Team <integration@aigent.invalid>  $(git log -1 --format=%cD 2>/dev/null || date -R)
END
cargo deb --quiet --locked --no-build --strip --profile "$profile" --output "$made/rentsync-relay.deb" >&2
echo "$made/rentsync-relay.deb"
