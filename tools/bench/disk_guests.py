"""The Debian of tools/guest-debian in Backplane and in QEMU, with its disk at any controller, for tools/bench/disks."""

import os
import pathlib
import re
import select
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("BACKPLANE_BUILD", "build/release") / "bin/backplane"

CHIPSETS = ("i440fx", "q35")
CONTROLLERS = ("virtio-blk", "ahci", "nvme", "ide")
# What Linux calls the first disk there.
NAMES = {"virtio-blk": "vda", "ahci": "sda", "nvme": "nvme0n1", "ide": "sda"}

Q35_MACHINES = {"virtio-blk": "q35-virtio", "ahci": "q35", "nvme": "q35-nvme", "ide": "q35-ide"}
PC_OVERRIDES = {
    "virtio-blk": ["disk0.type=storage.virtio-blk", "disk0.slot=pci0@04.0", "ide0.primary-master=null"],
    "nvme": ["disk0.type=storage.nvme", "disk0.slot=pci0@04.0", "ide0.primary-master=null"],
    "ahci": ["ahci0.type=storage.ahci", "ahci0.slot=pci0@04.0", "ahci0.port0=disk0", "ide0.primary-master=null"],
    "ide": [],
}
# Disks for measurements, at all controllers of one machine at once.
DATA_OVERRIDES = {
    "virtio-blk": ["data-virtio.type=storage.virtio-blk", "data-virtio.slot=pci0@08.0"],
    "nvme": ["data-nvme.type=storage.nvme", "data-nvme.slot=pci0@09.0"],
    "ahci": ["data-ahci.type=storage.ata-disk", "ahci0.port1=data-ahci"],
    "ide": ["data-ide.type=storage.ata-disk", "data-controller.type=storage.ich-ide", "data-controller.slot=pci0@1f.1",
            "data-controller.primary-irq=[pic0.14, ioapic0.14]", "data-controller.secondary-irq=[pic0.15, ioapic0.15]",
            "data-controller.primary-master=data-ide"],
}
QEMU_CARDS = {("i440fx", "ahci"): ["-device", "ich9-ahci,id=card"], ("q35", "ide"): ["-device", "piix3-ide,id=card"]}
QEMU_DEVICES = {"virtio-blk": "virtio-blk-pci,drive={drive}", "nvme": "nvme,drive={drive},serial={drive}",
                "ahci": "ide-hd,drive={drive},bus={bus}.{port}", "ide": "ide-hd,drive={drive},bus={bus}.0"}


def our_machine(chipset, controller):
    if chipset == "q35":
        return Q35_MACHINES[controller], []
    return "pc", PC_OVERRIDES[controller]


def our_command(chipset, controller, image, memory, properties=(), data=None, data_properties=(), more=()):
    """With `snapshot`, the image stays as it is. `data`: the file of each controller's further disk."""
    machine, overrides = our_machine(chipset, controller)
    overrides = [*overrides, "disk0-image.snapshot=true", *(f"disk0-image.{each}" for each in properties)]
    for kind, file in (data or {}).items():
        name = f"data-{kind.removesuffix('-blk')}"
        overrides += [*DATA_OVERRIDES[kind], f"{name}.image={name}-image", f"{name}-image.type=storage.image",
                      f"{name}-image.path={file}", *(f"{name}-image.{each}" for each in data_properties)]
    return [PROGRAM, "run", ROOT / f"machines/{machine}.yaml", "-m", f"{memory}M", "--disk", image,
            *(word for each in overrides for word in ("-p", each)), *more]


def extract_kernel(image, folder):
    """Arguments of either program that boot the image's kernel. With many disks firmware starts from any of them."""
    raw, kernel, initrd = (folder / name for name in ("debian.img", "vmlinuz", "initrd.img"))
    subprocess.run(["qemu-img", "convert", "-O", "raw", image, raw], check=True)

    def debugfs(request):
        return subprocess.run(["debugfs", "-R", request, f"{raw}?offset={1 << 20}"], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    for link, target in (("/vmlinuz", kernel), ("/initrd.img", initrd)):
        source = re.search(r'link dest: "(.+)"', debugfs(f"stat {link}"))[1]
        debugfs(f"dump /{source} {target}")
    raw.unlink()
    return kernel, initrd, "root=LABEL=root console=ttyS0"


def qemu_command(chipset, controller, image, memory, data=None, cache="writeback", more=()):
    def device(kind, drive, card, bus, port=0):
        return [*card, "-device", QEMU_DEVICES[kind].format(drive=drive, bus=bus, port=port)]

    card = QEMU_CARDS.get((chipset, controller), [])
    command = ["qemu-system-x86_64", "-accel", "tcg", "-M", "pc" if chipset == "i440fx" else "q35", "-m", f"{memory}M",
               "-display", "none", "-nic", "none", "-serial", "stdio", "-monitor", "none",
               "-drive", f"if=none,id=d,snapshot=on,file={image}",
               *device(controller, "d", card, "card" if card else "ide")]
    for kind, file in (data or {}).items():
        drive = f"data-{kind}"
        card = ["-device", "piix3-ide,id=data-card"] if kind == "ide" else []
        kind_format = "qcow2" if str(file).endswith(".qcow2") else "raw"
        command += ["-drive", f"if=none,id={drive},format={kind_format},cache={cache},file={file}",
                    *device(kind, drive, card, "data-card" if card else "ide", 1)]
    return [*command, *more]


class GuestError(Exception):
    pass


class Console:
    """A running machine, with its serial console."""

    PROMPT = "root@backplane:~# "

    def __init__(self, command):
        self.start = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.unread = self.everything = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()

    def expect(self, text, limit=600):
        """What came in front of the text."""
        deadline = time.monotonic() + limit
        while text not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            part = self.process.stdout.read() if ready else b""
            if not part:
                raise GuestError(f"{self.process.args[0]}: no {text!r}; the last it said:\n{self.everything[-1500:]}")
            part = part.decode(errors="replace").replace("\r", "")
            self.unread += part
            self.everything = (self.everything + part)[-100_000:]
        before, _, self.unread = self.unread.partition(text)
        return before

    def send(self, keys):
        # A UART has room for few characters, and nobody reads them before the line before is done.
        self.process.stdin.write(keys.encode())
        self.process.stdin.flush()

    def log_in(self, limit=600):
        """Seconds of the host's processors until Linux was loaded, and, also of its clock, until root can log in."""
        self.expect("Linux version", limit)
        loaded = self.cpu_seconds()
        self.expect("backplane login: ", limit)
        took = loaded, self.cpu_seconds(), time.monotonic() - self.start
        self.send("root\n")
        self.expect(self.PROMPT)
        # A prompt that stays the same, without the colours of terminals, lines as long as they need to be, and no echo.
        self.send("bind 'set enable-bracketed-paste off' 2>/dev/null; stty cols 5000 -echo; dmesg -n 1; "
                  "PS1='root@backplane:~#'' '; echo re''ady\n")
        self.expect("ready\n")
        self.expect(self.PROMPT)
        return took

    def shell(self, command, limit=600):
        self.send(command + "\n")
        return self.expect(self.PROMPT, limit)

    def power_off(self, limit=120):
        self.send("systemctl poweroff\n")
        deadline = time.monotonic() + limit
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise GuestError(f"{self.process.args[0]}: does not power off:\n{self.everything[-1500:]}")
            ready, _, _ = select.select([self.process.stdout], [], [], 0.2)
            if ready:
                self.everything += (self.process.stdout.read() or b"").decode(errors="replace")
        return self.process.returncode

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self, memory):
        """Of the whole process, now and at most, and of the guest's RAM, which has `memory` MiB in one piece or more."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        now, most = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) << 10 for name in ("VmRSS", "VmHWM"))
        mappings = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) [^\n]*\nSize: +(\d+) kB\n(?:[^\n]*\n)*?Rss: +(\d+) kB",
                              pathlib.Path(f"/proc/{self.process.pid}/smaps").read_text(), re.MULTILINE)
        ram = max((int(rss) << 10 for _, _, size, rss in mappings if int(size) >= memory << 9), default=0)
        return now, most, ram
