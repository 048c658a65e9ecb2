#include "table_loader.h"

#include <cstring>

namespace backplane::firmware {

namespace {

constexpr std::size_t record_size = 128, name_size = 56;
constexpr std::uint32_t allocate_command = 1, add_pointer_command = 2, add_checksum_command = 3;

void store_name(Table& script, std::size_t offset, std::string_view name) {
    std::memcpy(script.data() + offset, name.data(), std::min(name.size(), name_size - 1));
}

}  // namespace

std::size_t TableLoader::begin(std::uint32_t command) {
    const std::size_t at = script_.size();
    script_.resize(at + record_size);
    store(std::span{script_}, at, command);
    return at + sizeof command;
}

void TableLoader::allocate(std::string_view file, std::uint32_t alignment, Zone zone) {
    const std::size_t at = begin(allocate_command);
    store_name(script_, at, file);
    store(std::span{script_}, at + 56, alignment);
    store(std::span{script_}, at + 60, zone);
}

void TableLoader::add_pointer(std::string_view file, std::string_view target, std::uint32_t offset,
                              std::uint8_t size) {
    const std::size_t at = begin(add_pointer_command);
    store_name(script_, at, file);
    store_name(script_, at + 56, target);
    store(std::span{script_}, at + 112, offset);
    store(std::span{script_}, at + 116, size);
}

void TableLoader::add_checksum(std::string_view file, std::uint32_t offset, std::uint32_t start,
                               std::uint32_t length) {
    const std::size_t at = begin(add_checksum_command);
    store_name(script_, at, file);
    store(std::span{script_}, at + 56, offset);
    store(std::span{script_}, at + 60, start);
    store(std::span{script_}, at + 64, length);
}

}  // namespace backplane::firmware
