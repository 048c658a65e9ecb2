// Copies of the structs a plugin declares its device types with, in the layout this host was built
// with. A plugin of an older minor version has shorter structs: what they lack reads as zero. One
// of a newer version has longer ones: what we do not know is dropped.
#pragma once

#include <backplane/abi.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace backplane::runtime {

// Bytes up to and with a member: the size a struct had when that member was its last.
#define BACKPLANE_SIZE_WITH(type, member) (offsetof(type, member) + sizeof(type::member))

template <class T>
T copy_struct(const T* source) {
    T copy{};
    std::memcpy(&copy, source, std::min<std::size_t>(source->struct_size, sizeof(T)));
    copy.struct_size = sizeof(T);
    return copy;
}

// `what` names an element in messages: "property". Elements lie struct_size bytes apart.
template <class T>
std::expected<std::vector<T>, std::string> copy_array(const T* first, std::uint32_t count,
                                                      std::size_t minimum_size, const char* what) {
    constexpr std::uint32_t sane = 4096;
    std::vector<T> copies;
    if (count == 0) return copies;
    if (!first)
        return std::unexpected(fmt::format("claims {} of '{}', but the list is NULL", count, what));
    if (count > sane)
        return std::unexpected(
            fmt::format("claims {} of '{}'; at most {} are allowed", count, what, sane));
    const auto* bytes = reinterpret_cast<const std::byte*>(first);
    const std::uint32_t stride = first->struct_size;
    for (std::uint32_t i = 0; i < count; ++i) {
        const T* source = reinterpret_cast<const T*>(bytes + std::size_t{i} * stride);
        if (source->struct_size != stride)
            return std::unexpected(fmt::format("{} {} has struct_size {}, but the first has {}",
                                               what, i, source->struct_size, stride));
        if (stride < minimum_size || stride % alignof(T) != 0)
            return std::unexpected(
                fmt::format("{} {} has struct_size {}; ABI {}.0 needs {} or more, in steps of {}",
                            what, i, stride, BACKPLANE_ABI_MAJOR, minimum_size, alignof(T)));
        copies.push_back(copy_struct(source));
    }
    return copies;
}

// A whole device type; its lists, and the lists in them, are copies too. Strings stay the plugin's.
class DeviceTypeCopy {
public:
    static std::expected<std::unique_ptr<DeviceTypeCopy>, std::string>
    make(const backplane_device_type* source);

    const backplane_device_type& type() const { return type_; }

private:
    DeviceTypeCopy() = default;
    DeviceTypeCopy(const DeviceTypeCopy&) = delete;

    backplane_device_type type_{};
    std::vector<backplane_property> properties_;
    std::vector<backplane_port> ports_;
    std::vector<backplane_register> registers_;
    std::vector<std::vector<backplane_register_field>> fields_;
    std::vector<backplane_statistic> statistics_;
    std::vector<backplane_state_field> state_;
};

}  // namespace backplane::runtime
