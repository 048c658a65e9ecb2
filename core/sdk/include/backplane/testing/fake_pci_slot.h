// Stand-in for a place on a PCI bus: a test configures the function as firmware would, makes
// accesses in the address spaces, and sees its interrupts.
#pragma once

#include <backplane/abi.h>
#include <backplane/pci_config.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <list>
#include <string_view>
#include <vector>

namespace backplane::testing {

// An address space of the windows that devices place in it, over memory from address 0 on.
class PlacedSpace {
public:
    explicit PlacedSpace(std::size_t memory_size) : memory(memory_size) {}

    backplane_link link() {
        static constexpr backplane_address_space functions{
            sizeof(backplane_address_space),
            0,
            [](void* object, std::uint64_t address, backplane_range* range) {
                auto& bytes = self(object).memory;
                *range = address < bytes.size()
                             ? backplane_range{0, bytes.size(), bytes.data(), 1, 1}
                             : backplane_range{bytes.size(), ~std::uint64_t{0} - bytes.size(),
                                               nullptr, 0, 0};
            },
            [](void* object, std::uint64_t address, std::uint32_t size) {
                return self(object).read(address, size);
            },
            [](void* object, std::uint64_t address, std::uint32_t size, std::uint64_t value) {
                self(object).write(address, size, value);
            },
            [](void* object, std::uint64_t address, void* data, std::uint64_t length) {
                for (std::uint64_t i = 0; i < length; ++i)
                    static_cast<std::uint8_t*>(data)[i] = static_cast<std::uint8_t>(
                        self(object).read(address + i, 1));
            },
            [](void* object, std::uint64_t address, const void* data, std::uint64_t length) {
                for (std::uint64_t i = 0; i < length; ++i)
                    self(object).write(address + i, 1, static_cast<const std::uint8_t*>(data)[i]);
            },
            [](void*, std::uint64_t, std::int32_t) {},
            [](void*, const backplane_address_space_listener*) {},
            [](void* object) -> std::uint64_t { return self(object).memory.size(); },
            [](void*, std::uint64_t) {},
            [](void* object, const backplane_placement* placement) {
                auto& placed = self(object).placements;
                return reinterpret_cast<backplane_mapping*>(&placed.emplace_back(*placement));
            },
            [](void* object, backplane_mapping* mapping) {
                self(object).placements.remove_if([&](const backplane_placement& each) {
                    return &each == reinterpret_cast<backplane_placement*>(mapping);
                });
            },
            nullptr,
            nullptr};
        return {&functions, this};
    }

    std::uint64_t read(std::uint64_t address, std::uint32_t size = 4) {
        if (const backplane_placement* at = find(address, BACKPLANE_PLACE_READS)) {
            const std::uint64_t offset = address - at->address + at->offset;
            if ((at->window->flags & BACKPLANE_WINDOW_READ_DIRECT) == 0)
                return at->window->read(at->object, offset, size) &
                       (~std::uint64_t{0} >> (64 - size * 8));
            std::uint64_t value = 0;
            std::memcpy(&value, at->window->memory + offset, size);
            return value;
        }
        std::uint64_t value = 0;
        for (std::uint32_t i = 0; i < size; ++i)
            value |= std::uint64_t{address + i < memory.size() ? memory[address + i]
                                                               : std::uint8_t{0xff}}
                     << (i * 8);
        return value;
    }

    void write(std::uint64_t address, std::uint32_t size, std::uint64_t value) {
        if (const backplane_placement* at = find(address, BACKPLANE_PLACE_WRITES)) {
            const std::uint64_t offset = address - at->address + at->offset;
            if ((at->window->flags & BACKPLANE_WINDOW_WRITE_DIRECT) == 0)
                at->window->write(at->object, offset, size, value);
            else
                std::memcpy(at->window->memory + offset, &value, size);
            return;
        }
        for (std::uint32_t i = 0; i < size; ++i)
            if (address + i < memory.size())
                memory[address + i] = static_cast<std::uint8_t>(value >> (i * 8));
    }

    // Where the window is that its device calls so; all ones when it is nowhere.
    std::uint64_t address_of(std::string_view name) const {
        for (const backplane_placement& each : placements) {
            const std::string_view full_name = each.name;
            if (full_name.substr(full_name.find('.') + 1) == name) return each.address;
        }
        return ~std::uint64_t{0};
    }

    std::vector<std::uint8_t> memory;
    std::list<backplane_placement> placements;

private:
    static PlacedSpace& self(void* object) { return *static_cast<PlacedSpace*>(object); }

    const backplane_placement* find(std::uint64_t address, std::uint32_t access) const {
        const backplane_placement* best = nullptr;
        for (const backplane_placement& each : placements)
            if (address >= each.address && address - each.address < each.size &&
                (each.accesses & access) != 0 &&
                (best == nullptr || each.priority > best->priority))
                best = &each;
        return best;
    }
};

class FakePciSlot {
public:
    struct Message {
        std::uint64_t address;
        std::uint32_t data;
        bool operator==(const Message&) const = default;
    };

    backplane_link link() {
        static constexpr backplane_pci_slot functions{
            sizeof(backplane_pci_slot),
            0,
            [](void* object, const backplane_pci_function* function) {
                self(object).function = *function;
            },
            [](void* object, std::uint32_t pin, std::int32_t level) {
                self(object).pins.at(pin - 1) = level != 0;
            },
            [](void* object, std::uint64_t address, std::uint32_t data) {
                self(object).messages.push_back({address, data});
            },
            [](void* object, std::uint32_t which) {
                return which == BACKPLANE_PCI_IO ? self(object).io.link()
                                                 : self(object).memory.link();
            },
            [](void*) -> std::uint32_t { return 4096; }};
        return {&functions, this};
    }

    std::uint32_t read_config(std::uint32_t offset, std::uint32_t size = 4) const {
        return function.read_config(function.user, offset, size);
    }
    void write_config(std::uint32_t offset, std::uint32_t size, std::uint32_t value) const {
        function.write_config(function.user, offset, size, value);
    }

    // The size that the base address register asks for, found as firmware finds it.
    std::uint32_t bar_size(unsigned index) const {
        const unsigned offset = pci::base_address + 4 * index;
        const std::uint32_t old = read_config(offset);
        write_config(offset, 4, ~0u);
        const std::uint32_t mask = read_config(offset);
        write_config(offset, 4, old);
        return ~(mask & ((mask & 1) != 0 ? ~3u : ~15u)) + 1;
    }

    // Everything in the command register on.
    void enable() const {
        write_config(pci::command, 2, pci::command_io | pci::command_memory | pci::command_master);
    }

    PlacedSpace memory{1 << 20};
    PlacedSpace io{0};
    backplane_pci_function function{};
    std::array<bool, 4> pins{};
    std::vector<Message> messages;

private:
    static FakePciSlot& self(void* object) { return *static_cast<FakePciSlot*>(object); }
};

}  // namespace backplane::testing
