// A PCI function whose configuration space has a window into its base address registers: the PCI
// configuration access capability of virtio (virtio 1.2, 4.1.4.9), by which firmware reaches a
// device before it has mapped anything.
#pragma once

#include <backplane/pci.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace backplane::virtio {

// Stands between the function and its slot, as only there reads of configuration space are seen.
class WindowedFunction : public PciFunction {
public:
    // The capability's fields begin at `offset`. `read` and `write` get base address register,
    // offset and size.
    void add_window(unsigned offset,
                    std::function<std::uint32_t(unsigned, std::uint64_t, unsigned)> read,
                    std::function<void(unsigned, std::uint64_t, unsigned, std::uint32_t)> write) {
        window_ = offset;
        read_ = std::move(read);
        write_ = std::move(write);
        config().allow(offset + bar_field, 1, 0xff);
        config().allow(offset + offset_field, 4, ~0u);
        config().allow(offset + length_field, 4, ~0u);
        config().allow(offset + data_field, 4, ~0u);
    }

    // Nobody finds a function that is hidden.
    void set_hidden(bool hidden) { is_hidden_ = hidden; }

    // After configuration space was written there.
    void config_written(unsigned offset, unsigned bytes) {
        if (!touches_data(offset, bytes)) return;
        if (const unsigned length = access_length(); length != 0)
            write_(bar(), place(), length, config().get(window_ + data_field, length));
    }

    void reset_window() {
        if (window_ == 0) return;
        config().set(window_ + bar_field, 1, 0);
        for (const unsigned field : {offset_field, length_field, data_field})
            config().set(window_ + field, 4, 0);
    }

    // As PciFunction::connect, which this hides.
    void connect(backplane_link slot, const char* owner) {
        slot_ = Connection<backplane_pci_slot>{slot};
        static constexpr backplane_pci_slot between{
            sizeof(backplane_pci_slot),
            0,
            [](void* object, const backplane_pci_function* function) noexcept {
                self(object).attach(*function);
            },
            [](void* object, std::uint32_t pin, std::int32_t level) noexcept {
                self(object).slot_.call<&backplane_pci_slot::set_interrupt>(pin, level);
            },
            [](void* object, std::uint64_t address, std::uint32_t data) noexcept {
                self(object).slot_.call<&backplane_pci_slot::send_message>(address, data);
            },
            [](void* object, std::uint32_t which) noexcept {
                return self(object).slot_.call<&backplane_pci_slot::space>(which);
            },
            [](void* object) noexcept {
                return self(object).slot_.call<&backplane_pci_slot::config_size>();
            }};
        PciFunction::connect({&between, this}, owner);
    }

private:
    static constexpr unsigned bar_field = 4, offset_field = 8, length_field = 12, data_field = 16;

    static WindowedFunction& self(void* object) { return *static_cast<WindowedFunction*>(object); }

    unsigned bar() const { return config().get(window_ + bar_field, 1); }
    std::uint64_t place() const { return config().get(window_ + offset_field, 4); }
    // 0: the driver asks for what cannot be.
    unsigned access_length() const {
        const std::uint32_t length = config().get(window_ + length_field, 4);
        const bool is_possible = length == 1 || length == 2 || length == 4;
        return is_possible && place() % length == 0 ? length : 0;
    }
    bool touches_data(unsigned offset, unsigned bytes) const {
        const unsigned data = window_ + data_field;
        return window_ != 0 && offset < data + 4 && offset + bytes > data;
    }

    std::uint32_t read_config(std::uint32_t offset, std::uint32_t bytes) {
        if (is_hidden_) return ~std::uint32_t{0} >> (32 - 8 * bytes);
        if (touches_data(offset, bytes))
            if (const unsigned length = access_length(); length != 0)
                config().set(window_ + data_field, length, read_(bar(), place(), length));
        return inner_.read_config(inner_.user, offset, bytes);
    }
    void write_config(std::uint32_t offset, std::uint32_t bytes, std::uint32_t value) const {
        if (!is_hidden_) inner_.write_config(inner_.user, offset, bytes, value);
    }

    void attach(const backplane_pci_function& inner) {
        inner_ = inner;
        const backplane_pci_function outer{
            .struct_size = sizeof outer,
            .reserved = 0,
            .read_config =
                [](void* user, std::uint32_t offset, std::uint32_t bytes) noexcept {
                    return self(user).read_config(offset, bytes);
                },
            .write_config =
                [](void* user, std::uint32_t offset, std::uint32_t bytes,
                   std::uint32_t value) noexcept { self(user).write_config(offset, bytes, value); },
            .user = this};
        slot_.call<&backplane_pci_slot::attach>(&outer);
    }

    Connection<backplane_pci_slot> slot_;
    backplane_pci_function inner_{};
    bool is_hidden_ = false;
    unsigned window_ = 0;
    std::function<std::uint32_t(unsigned, std::uint64_t, unsigned)> read_;
    std::function<void(unsigned, std::uint64_t, unsigned, std::uint32_t)> write_;
};

}  // namespace backplane::virtio
