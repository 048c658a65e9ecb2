// What firmware does with the ACPI files: carries the script out and has tables in memory.
#pragma once

#include "acpi_tables.h"

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace backplane::firmware::testing {

class LoadedTables {
public:
    // `files` by name; the script is among them.
    explicit LoadedTables(std::map<std::string, Table> files) {
        const Table script = files.at(std::string{table_loader_file});
        std::uint64_t free = 0x7f00000;
        for (std::size_t at = 0; at + 128 <= script.size(); at += 128) {
            const auto record = std::span{script}.subspan(at, 128);
            switch (load<std::uint32_t>(record, 0)) {
            case 0: break;
            case 1: {
                const auto alignment = load<std::uint32_t>(record, 60);
                const bool low = record[64] == std::byte{2};
                std::uint64_t& place = low ? free_low_ : free;
                place = (place + alignment - 1) / alignment * alignment;
                blobs_[text(record, 4)] = {place, files.at(text(record, 4))};
                place += files.at(text(record, 4)).size();
                break;
            }
            case 2: add_pointer(record); break;
            case 3: add_checksum(record); break;
            default: throw std::runtime_error{"unknown record"};
            }
        }
    }

    std::uint64_t root() const { return blobs_.at(std::string{acpi_root_file}).address; }

    std::span<const std::byte> at(std::uint64_t address) const {
        for (const auto& [name, blob] : blobs_) {
            if (address >= blob.address && address < blob.address + blob.bytes.size())
                return std::span{blob.bytes}.subspan(address - blob.address);
        }
        throw std::out_of_range{"a pointer leads nowhere"};
    }

    std::span<const std::byte> table(std::uint64_t address) const {
        const auto bytes = at(address);
        return bytes.first(load<std::uint32_t>(bytes, 4));
    }

    template <class Pointer>
    std::map<std::string, std::uint64_t> listed(std::uint64_t root_table) const {
        std::map<std::string, std::uint64_t> found;
        const auto list = table(root_table);
        for (std::size_t offset = 36; offset < list.size(); offset += sizeof(Pointer)) {
            const std::uint64_t address = load<Pointer>(list, offset);
            found[signature(address)] = address;
        }
        return found;
    }

    std::map<std::string, std::uint64_t> by_rsdt() const {
        return listed<std::uint32_t>(load<std::uint32_t>(at(root()), 16));
    }
    std::map<std::string, std::uint64_t> by_xsdt() const {
        return listed<std::uint64_t>(load<std::uint64_t>(at(root()), 24));
    }

    std::string signature(std::uint64_t address) const {
        return {reinterpret_cast<const char*>(at(address).data()), 4};
    }

private:
    struct Blob {
        std::uint64_t address = 0;
        Table bytes;
    };

    static std::string text(std::span<const std::byte> record, std::size_t offset) {
        return reinterpret_cast<const char*>(record.data()) + offset;
    }

    void add_pointer(std::span<const std::byte> record) {
        Blob& file = blobs_.at(text(record, 4));
        const Blob& target = blobs_.at(text(record, 60));
        const auto offset = load<std::uint32_t>(record, 116);
        const auto size = std::to_integer<std::size_t>(record[120]);
        std::uint64_t value = 0;
        if (offset + size > file.bytes.size()) throw std::out_of_range{"a pointer lies outside"};
        std::memcpy(&value, file.bytes.data() + offset, size);
        if (value >= target.bytes.size()) throw std::out_of_range{"a pointer leads outside"};
        value += target.address;
        std::memcpy(file.bytes.data() + offset, &value, size);
    }

    void add_checksum(std::span<const std::byte> record) {
        Blob& file = blobs_.at(text(record, 4));
        const auto offset = load<std::uint32_t>(record, 60);
        const auto covered = std::span{file.bytes}.subspan(load<std::uint32_t>(record, 64),
                                                           load<std::uint32_t>(record, 68));
        file.bytes.at(offset) = std::byte(std::to_integer<std::uint8_t>(file.bytes[offset]) +
                                          checksum(covered));
    }

    std::map<std::string, Blob> blobs_;
    std::uint64_t free_low_ = 0xf5a00;
};

}  // namespace backplane::firmware::testing
