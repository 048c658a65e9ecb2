// A required port as seen from the device: the functions of whoever the machine file connected to
// it.
#pragma once

#include <backplane/abi.h>

#include <cstddef>

namespace backplane {

// The interface id that goes with each function struct; third parties specialise it for their own
// interfaces.
template <class Functions>
constexpr const char* interface_id = nullptr;

template <> inline constexpr const char* interface_id<backplane_line> = BACKPLANE_LINE;
template <> inline constexpr const char* interface_id<backplane_address_space> =
    BACKPLANE_ADDRESS_SPACE;
template <> inline constexpr const char* interface_id<backplane_block> = BACKPLANE_BLOCK;
template <> inline constexpr const char* interface_id<backplane_ata_drive> = BACKPLANE_ATA;
template <> inline constexpr const char* interface_id<backplane_message_interrupt> =
    BACKPLANE_MESSAGE_INTERRUPT;
template <> inline constexpr const char* interface_id<backplane_end_of_interrupt> =
    BACKPLANE_END_OF_INTERRUPT;
template <> inline constexpr const char* interface_id<backplane_character> = BACKPLANE_CHARACTER;
template <> inline constexpr const char* interface_id<backplane_interrupt_controller> =
    BACKPLANE_INTERRUPT_CONTROLLER;
template <> inline constexpr const char* interface_id<backplane_cpu> = BACKPLANE_CPU;
template <> inline constexpr const char* interface_id<backplane_cpu_profile> =
    BACKPLANE_CPU_PROFILE;
template <> inline constexpr const char* interface_id<backplane_pci_slot> = BACKPLANE_PCI_SLOT;
template <> inline constexpr const char* interface_id<backplane_pci_interrupt_router> =
    BACKPLANE_PCI_INTERRUPT_ROUTER;
template <> inline constexpr const char* interface_id<backplane_input> = BACKPLANE_INPUT;
template <> inline constexpr const char* interface_id<backplane_ps2> = BACKPLANE_PS2;
template <> inline constexpr const char* interface_id<backplane_dma_channel> =
    BACKPLANE_DMA_CHANNEL;
template <> inline constexpr const char* interface_id<backplane_smbus_device> =
    BACKPLANE_SMBUS_DEVICE;
template <> inline constexpr const char* interface_id<backplane_display> = BACKPLANE_DISPLAY;
template <> inline constexpr const char* interface_id<backplane_firmware_files> =
    BACKPLANE_FIRMWARE_FILES;
template <> inline constexpr const char* interface_id<backplane_power_button> =
    BACKPLANE_POWER_BUTTON;
template <> inline constexpr const char* interface_id<backplane_reports> = BACKPLANE_REPORTS;

// A member of a device, bound through Declaration::connects.
template <class FunctionsType>
class Connection {
public:
    using Functions = FunctionsType;

    Connection() = default;
    explicit Connection(backplane_link link)
        : functions_{static_cast<const Functions*>(link.functions)}, object_{link.object} {}

    explicit operator bool() const { return functions_ != nullptr; }
    const Functions* operator->() const { return functions_; }
    const Functions* functions() const { return functions_; }
    void* object() const { return object_; }
    backplane_link link() const { return {functions_, object_}; }

    // Whether the provider has this function: it may be older than the interface is now, and some
    // functions are optional.
    template <auto member>
    bool has() const {
        if (functions_ == nullptr) return false;
        const auto& function = functions_->*member;
        const auto end = reinterpret_cast<const std::byte*>(&function + 1) -
                         reinterpret_cast<const std::byte*>(functions_);
        return static_cast<std::size_t>(end) <= functions_->struct_size && function != nullptr;
    }

    // call<&backplane_character::send>(data, length). The port must be connected.
    template <auto member, class... Arguments>
    auto call(Arguments... arguments) const {
        return (functions_->*member)(object_, arguments...);
    }

private:
    const Functions* functions_ = nullptr;
    void* object_ = nullptr;
};

}  // namespace backplane
