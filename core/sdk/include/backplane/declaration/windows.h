// The windows of a device type: registers and memory that can be mapped into address spaces.
#pragma once

#include <backplane/declaration/lists.h>
#include <backplane/window.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

namespace backplane {

template <class T>
class DeclaresWindows : protected virtual DeclarationLists<T> {
public:
    // std::uint64_t read(std::uint64_t offset, unsigned size); void write(offset, size,
    // std::uint64_t value). `access_sizes` is an OR of the sizes the device can take at once;
    // larger accesses are split. 0 = all.
    // For registers at the end of a queue, which string instructions read or write many times:
    // std::uint32_t read_many(std::uint64_t offset, unsigned size, std::span<std::byte> data) and
    // write_many(offset, size, std::span<const std::byte> data), as abi/window.h says.
    template <auto read, auto write, auto read_many = nullptr, auto write_many = nullptr>
    WindowDeclaration port_window(const char* name, std::uint64_t size, const char* doc,
                                  unsigned access_sizes = 0) {
        return add_window<read, write, read_many, write_many>(name, BACKPLANE_PORT_WINDOW, size,
                                                              doc, access_sizes);
    }

    template <auto read, auto write>
    WindowDeclaration memory_window(const char* name, std::uint64_t size, const char* doc,
                                    unsigned access_sizes = 0) {
        return add_window<read, write>(name, BACKPLANE_MEMORY_WINDOW, size, doc, access_sizes);
    }

    // MemoryRegion region(): host memory from Host::allocate_memory, asked once properties are set.
    // A size of 0 means that there is no such window in this instance.
    template <auto region>
    void memory_region(const char* name, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, BACKPLANE_MEMORY_WINDOW, doc);
        behaviour.window_size = [](T& device) { return (device.*region)().size; };
        behaviour.provide = [](Instance<T>& instance, std::uint32_t) {
            const MemoryRegion memory = (instance.device.*region)();
            backplane_window window{};
            window.struct_size = sizeof window;
            window.flags = BACKPLANE_WINDOW_READ_DIRECT |
                           (memory.writable ? BACKPLANE_WINDOW_WRITE_DIRECT : 0);
            window.memory = reinterpret_cast<std::uint8_t*>(memory.memory);
            window.size = memory.size;
            window.read = [](void* object, std::uint64_t offset, std::uint32_t bytes) noexcept {
                std::uint64_t value = 0;
                std::memcpy(&value, (static_cast<T*>(object)->*region)().memory + offset, bytes);
                return value;
            };
            window.write = [](void*, std::uint64_t, std::uint32_t, std::uint64_t) noexcept {};
            return backplane_link{&instance.windows.emplace_back(window), &instance.device};
        };
    }

    // A bank of declared registers in a memory window; in_ports maps it into the I/O space instead.
    RegisterBank<T>& registers(const char* name, Width width, const char* doc) {
        return add_bank(name, BACKPLANE_MEMORY_WINDOW, width, doc);
    }

    RegisterBank<T>& port_registers(const char* name, Width width, const char* doc) {
        return add_bank(name, BACKPLANE_PORT_WINDOW, width, doc);
    }

protected:
    // Registers become declarations of their own, and the members bound to them saved state.
    void finish_banks() {
        for (std::size_t index = 0; index < banks_.size(); ++index) {
            ports_[bank_ports_[index]].size = banks_[index].size();
            for (const auto& reg : banks_[index].registers()) {
                auto& fields = fields_.emplace_back();
                for (const auto& field : reg.fields()) {
                    fields.push_back({sizeof(backplane_register_field), field.first_bit, field.bits,
                                      static_cast<std::uint8_t>(field.access), 0, field.name,
                                      nullptr});
                    if (field.address)
                        add_state(intern(std::string{reg.name()} + "." + field.name),
                                  field.boolean ? BACKPLANE_STATE_BOOLEAN
                                                : BACKPLANE_STATE_UNSIGNED,
                                  field.size, 1, [address = field.address](Instance<T>& instance) {
                                      return address(instance.device);
                                  });
                }
                registers_.push_back({sizeof(backplane_register), bank_ports_[index], reg.offset(),
                                      reg.width(), static_cast<std::uint32_t>(fields.size()),
                                      reg.name(), nullptr, fields.data()});
            }
        }
    }

private:
    using Lists = DeclarationLists<T>;
    using Lists::add_port;
    using Lists::add_state;
    using Lists::bank_ports_;
    using Lists::banks_;
    using Lists::fields_;
    using Lists::intern;
    using Lists::ports_;
    using Lists::registers_;

    template <auto read, auto write, auto read_many = nullptr, auto write_many = nullptr>
    WindowDeclaration add_window(const char* name, const char* id, std::uint64_t size,
                                 const char* doc, unsigned access_sizes) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, id, doc);
        ports_.back().size = size;
        behaviour.provide = [access_sizes, size](Instance<T>& instance, std::uint32_t) {
            backplane_window window{};
            window.struct_size = sizeof window;
            window.access_sizes = access_sizes;
            window.size = size;
            window.read = [](void* object, std::uint64_t offset,
                             std::uint32_t bytes) noexcept -> std::uint64_t {
                return (static_cast<T*>(object)->*read)(offset, bytes);
            };
            window.write = [](void* object, std::uint64_t offset, std::uint32_t bytes,
                              std::uint64_t value) noexcept {
                (static_cast<T*>(object)->*write)(offset, bytes, static_cast<std::uint64_t>(value));
            };
            if constexpr (!std::is_null_pointer_v<decltype(read_many)>)
                window.read_many = [](void* object, std::uint64_t offset, std::uint32_t bytes,
                                      void* data, std::uint32_t count) noexcept {
                    return (static_cast<T*>(object)->*read_many)(
                        offset, bytes,
                        std::span{static_cast<std::byte*>(data), std::size_t{count} * bytes});
                };
            if constexpr (!std::is_null_pointer_v<decltype(write_many)>)
                window.write_many = [](void* object, std::uint64_t offset, std::uint32_t bytes,
                                       const void* data, std::uint32_t count) noexcept {
                    return (static_cast<T*>(object)->*write_many)(
                        offset, bytes,
                        std::span{static_cast<const std::byte*>(data), std::size_t{count} * bytes});
                };
            return backplane_link{&instance.windows.emplace_back(window), &instance.device};
        };
        return WindowDeclaration{registers_, static_cast<std::uint32_t>(ports_.size() - 1)};
    }

    RegisterBank<T>& add_bank(const char* name, const char* id, Width width, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, id, doc);
        auto& bank = banks_.emplace_back(name, width);
        bank_ports_.push_back(static_cast<std::uint32_t>(ports_.size() - 1));
        behaviour.provide = [&bank](Instance<T>& instance, std::uint32_t) {
            backplane_window window{};
            window.struct_size = sizeof window;
            window.size = bank.size();
            window.read = [](void* object, std::uint64_t offset, std::uint32_t bytes) noexcept {
                const auto& target = *static_cast<typename Instance<T>::BankObject*>(object);
                return target.bank->read(*target.device, offset, bytes);
            };
            window.write = [](void* object, std::uint64_t offset, std::uint32_t bytes,
                              std::uint64_t value) noexcept {
                const auto& target = *static_cast<typename Instance<T>::BankObject*>(object);
                target.bank->write(*target.device, offset, bytes, value);
            };
            return backplane_link{&instance.windows.emplace_back(window),
                                  &instance.banks.emplace_back(&instance.device, &bank)};
        };
        return bank;
    }
};

}  // namespace backplane
