// Memory as a device that does DMA, or a loader, sees it.
#pragma once

#include <backplane/connection.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace backplane {

// A member of a device, bound through Declaration::address_space.
class AddressSpace {
public:
    AddressSpace() = default;
    explicit AddressSpace(backplane_link link) : space_{link} {}

    void read(std::uint64_t address, std::span<std::byte> bytes) const {
        space_.call<&backplane_address_space::read_block>(address, static_cast<void*>(bytes.data()),
                                                          std::uint64_t{bytes.size()});
    }

    void write(std::uint64_t address, std::span<const std::byte> bytes) const {
        space_.call<&backplane_address_space::write_block>(
            address, static_cast<const void*>(bytes.data()), std::uint64_t{bytes.size()});
    }

    // Little-endian plain values and structs without padding.
    template <class T>
        requires std::is_trivially_copyable_v<T>
    T read(std::uint64_t address) const {
        T value;
        read(address, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }

    template <class T>
        requires std::is_trivially_copyable_v<T>
    void write(std::uint64_t address, const T& value) const {
        write(address, std::as_bytes(std::span{&value, 1}));
    }

    std::uint64_t extent() const { return space_.call<&backplane_address_space::extent>(); }

    backplane_range find(std::uint64_t address) const {
        backplane_range range{};
        space_.call<&backplane_address_space::find>(address, &range);
        return range;
    }

    const Connection<backplane_address_space>& connection() const { return space_; }

private:
    Connection<backplane_address_space> space_;
};

}  // namespace backplane
