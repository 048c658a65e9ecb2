// Memory as a device that does DMA, or a loader, sees it.
#pragma once

#include <backplane/connection.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace backplane {

// Where AddressSpace::place puts a window.
struct PlaceAt {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;  // of `address` into the window
    std::int32_t priority = 0;
    std::uint32_t accesses = BACKPLANE_PLACE_READS | BACKPLANE_PLACE_WRITES;
};

// A window at an address that the guest chose, for as long as this object lives.
class Placement {
public:
    Placement() = default;
    Placement(const Connection<backplane_address_space>& space, backplane_placement placement,
              std::string name)
        : space_{space}, name_{std::make_unique<const std::string>(std::move(name))} {
        placement.name = name_->c_str();
        mapping_ = space_.call<&backplane_address_space::map>(&placement);
    }
    Placement(Placement&& other) noexcept
        : space_{other.space_}, name_{std::move(other.name_)},
          mapping_{std::exchange(other.mapping_, nullptr)} {}
    Placement& operator=(Placement&& other) noexcept {
        if (this != &other) {
            remove();
            space_ = other.space_;
            name_ = std::move(other.name_);
            mapping_ = std::exchange(other.mapping_, nullptr);
        }
        return *this;
    }
    ~Placement() { remove(); }

    // Whether the window is mapped: a guest may have chosen an address where it does not fit.
    explicit operator bool() const { return mapping_ != nullptr; }

    void remove() {
        if (mapping_ != nullptr) space_.call<&backplane_address_space::unmap>(mapping_);
        mapping_ = nullptr;
    }

private:
    Connection<backplane_address_space> space_;
    std::unique_ptr<const std::string> name_;  // stays where it is when this object moves
    backplane_mapping* mapping_ = nullptr;
};

// A member of a device, bound through Declaration::address_space.
class AddressSpace {
public:
    AddressSpace() = default;
    // `owner` is the name of the device that uses it, and outlives it: what is placed goes by it.
    explicit AddressSpace(backplane_link link, const char* owner = "")
        : space_{link}, owner_{owner} {}

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

    // `window` is a link to a backplane_window and outlives the placement. In messages it is called
    // "owner.name".
    [[nodiscard]] Placement place(backplane_link window, std::string_view name,
                                  const PlaceAt& at) const {
        std::string full_name = owner_;
        if (!full_name.empty()) full_name += '.';
        full_name += name;
        const backplane_placement placement{
            .struct_size = sizeof placement,
            .accesses = at.accesses,
            .priority = at.priority,
            .reserved = 0,
            .address = at.address,
            .size = at.size,
            .offset = at.offset,
            .window = static_cast<const backplane_window*>(window.functions),
            .object = window.object,
            .name = nullptr};
        return {space_, placement, std::move(full_name)};
    }

    const Connection<backplane_address_space>& connection() const { return space_; }

private:
    Connection<backplane_address_space> space_;
    const char* owner_ = "";
};

}  // namespace backplane
