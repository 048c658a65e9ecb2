# Debian packages for guests, without installing anything on the host; sourced by the tools that make guests.
# They set `arch`, Debian's name of the packages' architecture; `cache`, a directory to keep the package lists in;
# `work`, a scratch directory; and define `say`.

# apt with lists and a package database of its own: the guest's architecture may differ from the host's, what the host
# has installed does not count, and nothing on the host changes.
guest_apt() {
    local state=$cache/apt
    mkdir -p "$state"/{lists,cache,archives}/partial
    : >"$state/status"
    apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$state" \
        -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" -o Dir::Cache::archives="$work/archives" \
        -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=true -o APT::Get::Assume-Yes=true \
        -o APT::Install-Recommends=false "$@" >&2
}

refresh_package_lists() {
    [ -z "${lists_are_fresh:-}" ] || return 0
    command -v apt-get >/dev/null || { say "guests are made of Debian packages and there is no apt-get"; exit 1; }
    say "reading Debian's package lists for $arch"
    guest_apt update || say "some package lists could not be read; going on without them"
    lists_are_fresh=yes
}

# unpack DIRECTORY PACKAGE...: into the directory, with everything they depend on
unpack() {
    local target=$1 package
    shift
    refresh_package_lists
    mkdir -p "$work/archives/partial" "$target"
    guest_apt install --download-only "$@" || { say "cannot download: $*"; exit 1; }
    for package in "$work"/archives/*.deb; do dpkg-deb --extract "$package" "$target"; done
    rm "$work"/archives/*.deb
}
