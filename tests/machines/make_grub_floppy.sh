#!/usr/bin/env bash
# Makes a floppy disk from which GRUB starts, reads a large file of its FAT, prints a note of it at COM1, and ends the
# machine with isa-debug-exit.
# usage: make_grub_floppy.sh FILE KILOBYTES DATA     KILOBYTES: 720, 1200, 1440 or 2880
set -euo pipefail

image=$1 kilobytes=$2 data=$3
grub=/usr/lib/grub/i386-pc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/start.cfg" <<'CONFIG'
serial --unit=0 --speed=115200
terminal_output serial
cat /note
md5sum /data
outb 0x501 7
CONFIG
grub-mkimage -O i386-pc -p / -c "$work/start.cfg" -o "$work/core.img" biosdisk fat serial terminal cat hashsum \
    gcry_md5 iorw
sectors=$((($(stat -c %s "$work/core.img") + 511) / 512))

# The core lies between the boot sector and the first FAT.
rm -f "$image"
mformat -C -i "$image" -f "$kilobytes" -R $((sectors + 1)) -B "$grub/boot.img" ::
dd if="$work/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
echo "read by GRUB" >"$work/note"
mcopy -i "$image" "$work/note" ::/note
mcopy -i "$image" "$data" ::/data
