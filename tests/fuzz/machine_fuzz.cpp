// A whole PC whose guest programs nonsense: any accesses to ports, memory and configuration space,
// with time passing between them. What devices do to each other is in it, such as base address
// registers over memory and direct memory access to anywhere. The first byte picks the machine.
#include "cli/load_machine.h"
#include "runtime/machine.h"

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace backplane::runtime;

constexpr std::array<const char*, 2> machines{"pc", "q35"};

// A BIOS that stays where it is, so that the processor does nothing of its own.
std::filesystem::path idle_bios() {
    const auto path = std::filesystem::temp_directory_path() /
                      ("backplane-machine-fuzz-" + std::to_string(getpid()) + ".rom");
    std::string image(256 * 1024, '\xff');
    image[image.size() - 16] = '\xeb';
    image[image.size() - 15] = '\xfe';  // jmp $
    std::ofstream{path, std::ios::binary} << image;
    return path;
}

class Machines {
public:
    Machines() {
        const std::filesystem::path bios = idle_bios();
        const std::vector<Override> overrides{
            Override::option("fuzz", "machine.clock", "deterministic"),
            Override::option("fuzz", "machine.log", "error"),
            Override::option("fuzz", "bios0.image", bios.string()),
            Override::option("fuzz", "console.type", "character.null"),
            Override::option("fuzz", "ram0.size", "4 MiB")};
        for (const char* name : machines) {
            Diagnostics diagnostics;
            loaded_.push_back(backplane::cli::load_machine(
                std::filesystem::path{BACKPLANE_MACHINES} / (std::string{name} + ".yaml"),
                overrides, plugins_, diagnostics));
            if (!loaded_.back().description) fail(diagnostics);
        }
        std::atexit([] { std::filesystem::remove(idle_bios()); });
    }

    std::unique_ptr<Machine> build(std::size_t which) {
        Diagnostics diagnostics;
        auto machine = Machine::build(*loaded_[which % loaded_.size()].description, diagnostics);
        if (!machine) fail(diagnostics);
        return machine;
    }

private:
    [[noreturn]] static void fail(const Diagnostics& diagnostics) {
        std::fprintf(stderr, "%s\n", diagnostics.text().c_str());
        std::abort();
    }

    PluginRegistry plugins_{PluginSearchPath::standard({})};
    std::vector<backplane::cli::LoadedMachine> loaded_;
};

class Guest {
public:
    Guest(Machine& machine, std::span<const std::uint8_t> script)
        : machine_{machine}, rest_{script} {}

    void play() {
        std::uint64_t position = 1;
        while (!rest_.empty() && !machine_.advance(position)) {
            const std::uint8_t what = take(1) & 0xff;
            switch (what % 8) {
            case 0:
            case 1: access(machine_.ports(), what); break;
            case 2:
            case 3: access(machine_.memory(), what); break;
            case 4:
            case 5: configure(what); break;
            case 6: anywhere(what); break;
            default: position += std::uint64_t{1} << take(1) % 20;
            }
        }
    }

private:
    std::uint64_t take(unsigned bytes) {
        std::uint64_t value = 0;
        for (unsigned i = 0; i < bytes && !rest_.empty(); ++i, rest_ = rest_.subspan(1))
            value |= std::uint64_t{rest_.front()} << (8 * i);
        return value;
    }

    static std::uint32_t size_of(std::uint8_t what) { return 1u << (what >> 3 & 3); }

    // Into something that is mapped now.
    void access(AddressSpace& space, std::uint8_t what) {
        const auto& mappings = space.mappings();
        const Mapping& target = *mappings[take(1) % mappings.size()];
        const std::uint64_t offset = take(target.size > 256 ? 2 : 1);
        make(space, target.base + offset % target.size, what);
    }

    void anywhere(std::uint8_t what) {
        if ((what & 0x40) != 0)
            make(machine_.ports(), take(2), what);
        else
            make(machine_.memory(), take(5), what);
    }

    static void write(AddressSpace& space, std::uint64_t at, std::uint32_t size,
                      std::uint64_t value) {
        if (size == 8 && space.name() == "io") size = 4;
        space.write(at, size, value);
    }

    void make(AddressSpace& space, std::uint64_t at, std::uint8_t what) {
        if ((what & 0x80) != 0)
            write(space, at, size_of(what), take(size_of(what)));
        else
            (void)space.read(at, size_of(what));
    }

    // A register of a function on bus 0, as a guest reaches it; any device, mostly those at the
    // usual numbers.
    void configure(std::uint8_t what) {
        static constexpr std::array<unsigned, 12> usual{0x00, 0x08, 0x09, 0x0a, 0x0b, 0x10,
                                                        0x18, 0xf8, 0xfa, 0xfb, 0xfc, 0x20};
        const auto choice = take(1);
        const std::uint64_t function = choice < 0xf0 ? usual[choice % usual.size()] : take(1);
        const std::uint64_t offset = take(1);
        machine_.ports().write(0xcf8, 4, 0x80000000 | function << 8 | (offset & 0xfc));
        const std::uint32_t size = std::min(size_of(what), 4u);
        const std::uint64_t at = 0xcfc + (offset & 3 & ~(size - 1));
        if ((what & 0x80) != 0)
            machine_.ports().write(at, size, take(size));
        else
            (void)machine_.ports().read(at, size);
    }

    Machine& machine_;
    std::span<const std::uint8_t> rest_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Machines all;
    if (size == 0) return 0;
    const auto machine = all.build(data[0]);
    Guest{*machine, {data + 1, size - 1}}.play();
    return 0;
}
