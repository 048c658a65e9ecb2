// Files of somebody else for a guest, and a script that places them.
#pragma once

#include "little_endian.h"

#include <backplane/connection.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::linux_boot::testing {

// The records of a script.
inline std::vector<std::byte> record(std::uint32_t command) {
    std::vector<std::byte> bytes(128);
    store(std::span{bytes}, 0, command);
    return bytes;
}

inline void put_name(std::vector<std::byte>& record, std::size_t offset, std::string_view name) {
    std::memcpy(record.data() + offset, name.data(), name.size());
}

inline std::vector<std::byte> allocate(std::string_view file, std::uint32_t alignment = 16,
                                       std::uint8_t zone = 1) {
    auto bytes = record(1);
    put_name(bytes, 4, file);
    store(std::span{bytes}, 60, alignment);
    store(std::span{bytes}, 64, zone);
    return bytes;
}

inline std::vector<std::byte> add_pointer(std::string_view file, std::string_view target,
                                          std::uint32_t offset, std::uint8_t size) {
    auto bytes = record(2);
    put_name(bytes, 4, file);
    put_name(bytes, 60, target);
    store(std::span{bytes}, 116, offset);
    store(std::span{bytes}, 120, size);
    return bytes;
}

inline std::vector<std::byte> add_checksum(std::string_view file, std::uint32_t offset,
                                           std::uint32_t start, std::uint32_t length) {
    auto bytes = record(3);
    put_name(bytes, 4, file);
    store(std::span{bytes}, 60, offset);
    store(std::span{bytes}, 64, start);
    store(std::span{bytes}, 68, length);
    return bytes;
}

inline std::vector<std::byte> write_pointer(std::string_view file, std::string_view target,
                                            std::uint32_t offset, std::uint32_t target_offset,
                                            std::uint8_t size) {
    auto bytes = record(4);
    put_name(bytes, 4, file);
    put_name(bytes, 60, target);
    store(std::span{bytes}, 116, offset);
    store(std::span{bytes}, 120, target_offset);
    store(std::span{bytes}, 124, size);
    return bytes;
}

class FirmwareFiles {
public:
    struct File {
        std::string name;
        std::vector<std::byte> content;
        bool is_writable = false;
        int opened = 0;
    };

    void add(std::string name, std::vector<std::byte> content, bool is_writable = false) {
        files.push_back({std::move(name), std::move(content), is_writable, 0});
    }
    void add_script(const std::vector<std::vector<std::byte>>& records) {
        std::vector<std::byte> script;
        for (const auto& each : records)
            script.insert(script.end(), each.begin(), each.end());
        add("etc/table-loader", std::move(script));
    }

    backplane_link link() {
        static constexpr backplane_firmware_files functions{
            sizeof(backplane_firmware_files),
            0,
            [](void* object) { return static_cast<std::uint32_t>(self(object).files.size()); },
            [](void* object, std::uint32_t index, backplane_firmware_file* file) {
                const File& chosen = self(object).files[index];
                file->writable = chosen.is_writable;
                file->name = chosen.name.c_str();
                file->data = reinterpret_cast<const std::uint8_t*>(chosen.content.data());
                file->size = chosen.content.size();
            },
            [](void* object, std::uint32_t index) { ++self(object).files[index].opened; },
            [](void* object, std::uint32_t index, std::uint64_t offset, const std::uint8_t* data,
               std::uint64_t length) {
                std::memcpy(self(object).files[index].content.data() + offset, data, length);
            }};
        return {&functions, this};
    }

    std::vector<File> files;

private:
    static FirmwareFiles& self(void* object) { return *static_cast<FirmwareFiles*>(object); }
};

}  // namespace backplane::linux_boot::testing
