// What the firmware's devices are connected to: memory with gaps, processors that only count,
// somebody with files.
#pragma once

#include <backplane/declaration.h>
#include <backplane/testing/device_bench.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace backplane::firmware::testing {

using backplane::testing::DeviceBench;
using backplane::testing::FlatMemory;

template <class T>
const backplane_device_type* type_of() {
    return Declaration<T>::device_type();
}

inline backplane_link processor_link() {
    static const backplane_cpu functions = [] {
        backplane_cpu cpu{};
        cpu.struct_size = sizeof cpu;
        return cpu;
    }();
    static int processor = 0;
    return {&functions, &processor};
}

inline void connect_processors(DeviceBench& bench, unsigned count) {
    for (unsigned cpu = 0; cpu < count; ++cpu)
        bench.connect("cpus", processor_link());
}

// A map of ranges, of which only the first byte of host memory is ever there: for asking, not for
// using.
class MemoryMap {
public:
    enum class Kind { Ram, Rom, Device };

    void add(std::uint64_t start, std::uint64_t length, Kind kind) {
        ranges_[start] = {length, kind};
    }

    backplane_link link() {
        static const backplane_address_space functions = [] {
            backplane_address_space space{};
            space.struct_size = sizeof space;
            space.find = [](void* object, std::uint64_t address, backplane_range* range) {
                static_cast<MemoryMap*>(object)->find(address, *range);
            };
            space.extent = [](void* object) -> std::uint64_t {
                const auto& ranges = static_cast<MemoryMap*>(object)->ranges_;
                return ranges.empty() ? 0 : ranges.rbegin()->first + ranges.rbegin()->second.length;
            };
            return space;
        }();
        return {&functions, this};
    }

private:
    struct Entry {
        std::uint64_t length;
        Kind kind;
    };

    void find(std::uint64_t address, backplane_range& range) {
        auto next = ranges_.upper_bound(address);
        const std::uint64_t limit = next == ranges_.end() ? ~std::uint64_t{0} : next->first;
        std::uint64_t start = 0;
        if (next != ranges_.begin()) {
            const auto& [base, entry] = *std::prev(next);
            if (address - base < entry.length) {
                const bool ram = entry.kind == Kind::Ram, rom = entry.kind == Kind::Rom;
                range = {base, entry.length, ram || rom ? &byte_ : nullptr, ram || rom, ram};
                return;
            }
            start = base + entry.length;
        }
        range = {start, limit - start, nullptr, 0, 0};
    }

    std::map<std::uint64_t, Entry> ranges_;
    std::uint8_t byte_ = 0;
};

// Somebody with files, of which those that begin with "w" are writable.
class FileProvider {
public:
    explicit FileProvider(std::vector<std::pair<std::string, std::string>> files)
        : files{std::move(files)} {}

    backplane_link link() {
        static constexpr backplane_firmware_files functions{
            sizeof(backplane_firmware_files),
            0,
            [](void* object) { return static_cast<std::uint32_t>(self(object).files.size()); },
            [](void* object, std::uint32_t index, backplane_firmware_file* file) {
                const auto& [name, content] = self(object).files[index];
                file->name = name.c_str();
                file->data = reinterpret_cast<const std::uint8_t*>(content.data());
                file->size = content.size();
                file->writable = name.starts_with("w");
            },
            [](void* object, std::uint32_t index) { self(object).opened.push_back(index); },
            [](void* object, std::uint32_t index, std::uint64_t offset, const std::uint8_t* data,
               std::uint64_t length) {
                std::memcpy(&self(object).files[index].second.at(offset), data, length);
            }};
        return {&functions, this};
    }

    std::vector<std::pair<std::string, std::string>> files;
    std::vector<std::uint32_t> opened;

private:
    static FileProvider& self(void* object) { return *static_cast<FileProvider*>(object); }
};

}  // namespace backplane::firmware::testing
