#!/bin/sh
# Runs user-programs of an initramfs on this host, inside its tree, so with the very files the guest has.
# usage: on_host.sh INITRD DIRECTORY GLIBC_TUNABLES    the directory is made anew and removed again
set -eu
initrd=$1 tree=$2 tunables=$3
trap 'rm -rf "$tree"' EXIT
rm -rf "$tree"
mkdir -p "$tree"
gzip -dc "$initrd" | (cd "$tree" && python3 -c '
import os, sys
data, at, links = sys.stdin.buffer.read(), 0, {}
while True:  # the "newc" format: thirteen numbers of eight hexadecimal digits, then the name (cpio.5)
    field = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
    inode, mode, size, length = field[0], field[1], field[6], field[11]
    name = data[at + 110 : at + 110 + length - 1].decode()
    at += (110 + length + 3) & ~3
    if name == "TRAILER!!!":
        break
    content, at = data[at : at + size], (at + size + 3) & ~3
    if mode >> 12 == 4:
        os.makedirs(name, exist_ok=True)
    elif mode >> 12 == 10:
        os.symlink(content.decode(), name)
    elif mode >> 12 == 8:  # of several names of one file only the last has the content
        links.setdefault(inode, []).append(name)
        for each in links[inode]:
            with open(each, "wb") as file:
                file.write(content)
            os.chmod(each, mode & 0o777)
')
enter="chroot"
[ "$(id -u)" = 0 ] || enter="unshare --map-root-user chroot"
GLIBC_TUNABLES=$tunables $enter "$tree" /root/user-programs 2>&1
