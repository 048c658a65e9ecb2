// The one list that says everything about a device type. From it come the checks of machine files,
// `backplane info`, snapshots, traces and the wiring itself: declaring is the only way to read a
// property or to reach a port.
//
//   static void declare(Declaration<Uart>& d)
//   {
//       d.type("chipset.uart16550", "Serial port with FIFO");
//       d.property("clock", &Uart::clock_, "Input clock of the baud rate generator");
//       d.port_window<&Uart::read, &Uart::write>("registers", 8, "Register file");
//       d.line_output("irq", &Uart::irq_, "Interrupt request");
//       d.connects("stream", &Uart::stream_, "Bytes in and out");
//       d.saved("divisor", &Uart::divisor_);
//   }
//
// `declare` runs once per type. Names are kebab-case string literals. Accessors are pointers to
// data members, or captureless callables from T& to a reference (for members of members).
#pragma once

#include <backplane/abi.h>
#include <backplane/address_space.h>
#include <backplane/connection.h>
#include <backplane/device.h>
#include <backplane/events.h>
#include <backplane/instance.h>
#include <backplane/line.h>
#include <backplane/pci.h>
#include <backplane/property.h>
#include <backplane/registers.h>
#include <backplane/thunk.h>
#include <backplane/timer.h>
#include <backplane/window.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace backplane {

enum class Optional : bool { No, Yes };

template <class T>
class PciDeclaration;

template <class T>
class Declaration {
public:
    void type(const char* name, const char* summary) {
        name_ = name;
        summary_ = summary;
    }

    // ---- Properties; the default is the member's initializer ----

    template <class V>
    PropertyDeclaration property(const char* name, V T::* member, const char* doc) {
        auto& entry = add_property(name, doc, property_kind<V>());
        entry.initial = to_value(prototype_.*member);
        setters_.push_back([member](T& device, const backplane_value& value) {
            from_value(device.*member, value);
        });
        return PropertyDeclaration{entry};
    }

    // An enumeration whose values, from 0, are written as `choices`.
    template <class V>
        requires std::is_enum_v<V>
    PropertyDeclaration property(const char* name, V T::* member,
                                 std::initializer_list<const char*> choices, const char* doc) {
        auto& list = choices_.emplace_back(choices);
        PropertyDeclaration declaration = property(name, member, doc);
        properties_.back().choices = list.data();
        properties_.back().choice_count = static_cast<std::uint32_t>(list.size());
        return declaration;
    }

    // ---- Windows ----

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

    // ---- Lines ----

    template <class Accessor>
    void line_output(const char* name, Accessor accessor, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name, BACKPLANE_LINE, doc);
        ports_.back().flags = BACKPLANE_OPTIONAL | BACKPLANE_MULTIPLE;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device).connect(link);
        };
        add_state(intern(std::string{name} + ".level"), BACKPLANE_STATE_BOOLEAN, 1, 1,
                  [accessor](Instance<T>& instance) {
                      return static_cast<void*>(
                          &std::invoke(accessor, instance.device).saved_level());
                  });
    }

    // Several outputs as one port; accessor gives an indexable container of Line.
    template <class Accessor>
    void line_outputs(const char* name, std::uint32_t count, Accessor accessor, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name, BACKPLANE_LINE, doc);
        ports_.back().flags = BACKPLANE_OPTIONAL | BACKPLANE_MULTIPLE;
        ports_.back().count = count;
        behaviour.connect = [accessor](T& device, std::uint32_t element, backplane_link link) {
            std::invoke(accessor, device)[element].connect(link);
        };
        for (std::uint32_t element = 0; element < count; ++element)
            add_state(intern(std::string{name} + "." + std::to_string(element) + ".level"),
                      BACKPLANE_STATE_BOOLEAN, 1, 1, [accessor, element](Instance<T>& instance) {
                          return static_cast<void*>(
                              &std::invoke(accessor, instance.device)[element].saved_level());
                      });
    }

    // void on_change(bool level)
    template <auto on_change>
    void line_input(const char* name, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, BACKPLANE_LINE, doc);
        static constexpr backplane_line functions{
            sizeof(backplane_line), 0, [](void* object, std::int32_t level) noexcept {
                (static_cast<T*>(object)->*on_change)(level != 0);
            }};
        behaviour.provide = [](Instance<T>& instance, std::uint32_t) {
            return backplane_link{&functions, &instance.device};
        };
    }

    // void on_change(unsigned element, bool level)
    template <auto on_change>
    void line_inputs(const char* name, std::uint32_t count, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, BACKPLANE_LINE, doc);
        ports_.back().count = count;
        static constexpr backplane_line functions{
            sizeof(backplane_line), 0, [](void* object, std::int32_t level) noexcept {
                const auto& input = *static_cast<typename Instance<T>::InputObject*>(object);
                (input.device->*on_change)(input.element, level != 0);
            }};
        behaviour.provide = [](Instance<T>& instance, std::uint32_t element) {
            return backplane_link{&functions,
                                  &instance.inputs.emplace_back(&instance.device, element)};
        };
    }

    // ---- Other connections ----

    // `accessor` gives a Connection<Functions>; `connect_to` names the provider used when the
    // machine file is silent.
    template <class Accessor>
    void connects(const char* name, Accessor accessor, const char* doc,
                  Optional optional = Optional::No, const char* connect_to = nullptr) {
        using Member = std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>;
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name,
                                   interface_id<typename Member::Functions>, doc);
        ports_.back().flags = optional == Optional::Yes ? BACKPLANE_OPTIONAL : 0;
        ports_.back().connect_to = connect_to;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device) = Member{link};
        };
    }

    // `accessor` gives a std::vector<Connection<Functions>>: any number of providers, in the
    // machine file's order.
    template <class Accessor>
    void connects_all(const char* name, Accessor accessor, const char* doc) {
        using Member = typename std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>::value_type;
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name,
                                   interface_id<typename Member::Functions>, doc);
        ports_.back().flags = BACKPLANE_OPTIONAL | BACKPLANE_MULTIPLE;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device).push_back(Member{link});
        };
    }

    // Another component's window, which this one places in address spaces itself, as a host bridge
    // does with memory. `accessor` gives a Connection<backplane_window>.
    template <class Accessor>
    void connects_memory(const char* name, Accessor accessor, const char* doc,
                         Optional optional = Optional::No) {
        connects_window(name, BACKPLANE_MEMORY_WINDOW, accessor, doc, optional);
    }

    template <class Accessor>
    void connects_ports(const char* name, Accessor accessor, const char* doc,
                        Optional optional = Optional::No) {
        connects_window(name, BACKPLANE_PORT_WINDOW, accessor, doc, optional);
    }

    template <class Accessor>
    void address_space(const char* name, Accessor accessor, const char* doc,
                       const char* connect_to = "memory") {
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name, BACKPLANE_ADDRESS_SPACE, doc);
        ports_.back().connect_to = connect_to;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device) = AddressSpace{link, device.host().name};
        };
    }

    // A service of this device; `functions` lives as long as the plugin, its first arguments are
    // the T (thunk.h).
    template <class Functions>
    void provides(const char* name, const Functions& functions, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, interface_id<Functions>, doc);
        behaviour.provide = [&functions](Instance<T>& instance, std::uint32_t) {
            return backplane_link{&functions, &instance.device};
        };
    }

    // A service in `count` elements, such as the slots of a bus. backplane_link link(unsigned
    // element) gives the functions and the object of one.
    template <class Functions, auto link>
    void provides_each(const char* name, std::uint32_t count, const char* doc,
                       std::uint32_t flags = 0) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, interface_id<Functions>, doc);
        ports_.back().count = count;
        ports_.back().flags = flags;
        behaviour.provide = [](Instance<T>& instance, std::uint32_t element) {
            return (instance.device.*link)(element);
        };
    }

    // ---- PCI ----

    // This device is a PCI function, connected to its bus by port `name`; `accessor` gives the
    // PciFunction. What else the function has is said on the result.
    template <class Accessor>
    PciDeclaration<T> pci_function(const char* name, Accessor accessor,
                                   const PciIdentity& identity) {
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name, BACKPLANE_PCI_SLOT,
                                   "Place on a PCI bus");
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device).connect(link, device.host().name);
        };
        const auto function = [accessor](T& device) -> PciFunction& {
            return std::invoke(accessor, device);
        };
        binders_.push_back(
            [function, identity](T& device) { function(device).identify(identity); });
        functions_.push_back(function);
        add_state(intern(std::string{name} + ".configuration"), BACKPLANE_STATE_UNSIGNED, 1,
                  PciConfig::size, [function](Instance<T>& instance) -> void* {
                      return function(instance.device).config().saved_bytes().data();
                  });
        add_state(intern(std::string{name} + ".interrupt"), BACKPLANE_STATE_BOOLEAN, 1, 1,
                  [function](Instance<T>& instance) -> void* {
                      return &function(instance.device).saved_interrupt();
                  });
        add_state(intern(std::string{name} + ".pin"), BACKPLANE_STATE_BOOLEAN, 1, 1,
                  [function](Instance<T>& instance) -> void* {
                      return &function(instance.device).saved_pin();
                  });
        return PciDeclaration<T>{*this, name, function};
    }

    // ---- Time ----

    // void expire()
    template <auto expire, class Accessor>
    void timer(const char* name, Accessor accessor) {
        timers_.push_back(
            {accessor, [accessor, name](T& device) {
                 std::invoke(accessor, device)
                     .bind(
                         &device.host(), name,
                         [](void* object) noexcept { (static_cast<T*>(object)->*expire)(); },
                         &device);
             }});
        add_state(intern(std::string{name} + ".running"), BACKPLANE_STATE_BOOLEAN, 1, 1,
                  [accessor](Instance<T>& instance) {
                      return static_cast<void*>(
                          &std::invoke(accessor, instance.device).saved_running());
                  });
        add_state(intern(std::string{name} + ".deadline"), BACKPLANE_STATE_SIGNED, 8, 1,
                  [accessor](Instance<T>& instance) {
                      return static_cast<void*>(
                          &std::invoke(accessor, instance.device).saved_deadline());
                  });
    }

    // ---- Events, statistics, saved state ----

    // `accessor` gives a Topic<Payload>.
    template <class Accessor>
    void publishes(Accessor accessor) {
        using Member = std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>;
        binders_.push_back(
            [accessor](T& device) { std::invoke(accessor, device) = Member{device.host()}; });
    }

    template <class Accessor>
    void counter(const char* name, Accessor accessor, const char* unit, const char* doc) {
        add_statistic(BACKPLANE_COUNTER, name, accessor, unit, doc);
    }

    template <class Accessor>
    void gauge(const char* name, Accessor accessor, const char* unit, const char* doc) {
        add_statistic(BACKPLANE_GAUGE, name, accessor, unit, doc);
    }

    // Integers, bool, enums, Duration, and std::array of them (nested too).
    template <class Accessor>
    void saved(std::string name, Accessor accessor) {
        using Member = std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>;
        using Element = typename Scalar<Member>::type;
        static_assert(std::is_integral_v<Element> || std::is_enum_v<Element> ||
                          std::is_same_v<Element, Duration>,
                      "saved state is integers, bool, enums, Duration and arrays of them");
        add_state(intern(std::move(name)), state_kind<Element>(), sizeof(Element),
                  sizeof(Member) / sizeof(Element), [accessor](Instance<T>& instance) {
                      return static_cast<void*>(&std::invoke(accessor, instance.device));
                  });
    }

    // The finished type; valid as long as the plugin.
    static const backplane_device_type* device_type() { return &definition().type_; }

    Declaration(const Declaration&) = delete;
    Declaration& operator=(const Declaration&) = delete;

private:
    friend class PciDeclaration<T>;
    struct Finished {};

    struct PortBehaviour {
        std::function<backplane_link(Instance<T>&, std::uint32_t)> provide;
        std::function<void(T&, std::uint32_t, backplane_link)> connect;
        std::function<std::uint64_t(T&)> window_size;
    };

    struct TimerBehaviour {
        std::function<Timer&(T&)> timer;
        std::function<void(T&)> bind;
    };

    template <class V> struct Scalar {
        using type = V;
    };
    template <class V, std::size_t n> struct Scalar<std::array<V, n>> {
        using type = typename Scalar<V>::type;
    };

    template <class Element>
    static constexpr std::uint32_t state_kind() {
        if constexpr (std::is_same_v<Element, bool>)
            return BACKPLANE_STATE_BOOLEAN;
        else if constexpr (std::is_signed_v<Element> || std::is_same_v<Element, Duration>)
            return BACKPLANE_STATE_SIGNED;
        else
            return BACKPLANE_STATE_UNSIGNED;
    }

    explicit Declaration(Finished) {
        T::declare(*this);
        finish();
    }

    const char* intern(std::string text) { return strings_.emplace_back(std::move(text)).c_str(); }

    backplane_property& add_property(const char* name, const char* doc,
                                     backplane_property_kind kind) {
        backplane_property entry{};
        entry.struct_size = sizeof entry;
        entry.kind = kind;
        entry.name = name;
        entry.doc = doc;
        return properties_.emplace_back(entry);
    }

    PortBehaviour& add_port(backplane_port_role role, const char* name, const char* id,
                            const char* doc) {
        backplane_port entry{};
        entry.struct_size = sizeof entry;
        entry.role = role;
        entry.count = 1;
        entry.name = name;
        entry.interface_id = id;
        entry.doc = doc;
        ports_.push_back(entry);
        return behaviours_.emplace_back();
    }

    template <class Accessor>
    void connects_window(const char* name, const char* id, Accessor accessor, const char* doc,
                         Optional optional) {
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name, id, doc);
        ports_.back().flags = optional == Optional::Yes ? BACKPLANE_OPTIONAL : 0;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device) = Connection<backplane_window>{link};
        };
    }

    // The index of a declared window, which from now on the device places itself. A name that was
    // not declared ends the program when the type is first used: it cannot pass any test.
    std::size_t placed_window(const char* name) {
        const auto port = std::ranges::find_if(
            ports_, [&](const backplane_port& each) { return std::strcmp(each.name, name) == 0; });
        if (port == ports_.end()) std::abort();
        port->flags |= BACKPLANE_PLACED;
        return static_cast<std::size_t>(port - ports_.begin());
    }

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

    template <class Accessor>
    void add_statistic(backplane_statistic_kind kind, const char* name, Accessor accessor,
                       const char* unit, const char* doc) {
        backplane_statistic entry{};
        entry.struct_size = sizeof entry;
        entry.kind = kind;
        entry.name = name;
        entry.unit = unit;
        entry.doc = doc;
        statistics_.push_back(entry);
        readers_.push_back([accessor](T& device) {
            return static_cast<std::uint64_t>(std::invoke(accessor, device));
        });
    }

    void add_state(const char* name, std::uint32_t kind, std::size_t element_size,
                   std::size_t count, std::function<void*(Instance<T>&)> address) {
        backplane_state_field entry{};
        entry.struct_size = sizeof entry;
        entry.kind = kind;
        entry.element_size = static_cast<std::uint32_t>(element_size);
        entry.count = static_cast<std::uint32_t>(count);
        entry.name = name;
        state_.push_back(entry);
        addresses_.push_back(std::move(address));
    }

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

    void finish() {
        finish_banks();
        property_array_.assign(properties_.begin(), properties_.end());
        type_.struct_size = sizeof type_;
        type_.name = name_;
        type_.summary = summary_;
        type_.properties = property_array_.data();
        type_.property_count = static_cast<std::uint32_t>(property_array_.size());
        type_.ports = ports_.data();
        type_.port_count = static_cast<std::uint32_t>(ports_.size());
        type_.registers = registers_.data();
        type_.register_count = static_cast<std::uint32_t>(registers_.size());
        type_.statistics = statistics_.data();
        type_.statistic_count = static_cast<std::uint32_t>(statistics_.size());
        type_.state = state_.data();
        type_.state_count = static_cast<std::uint32_t>(state_.size());
        type_.create = &create;
        type_.destroy = [](void* device) noexcept { delete self(device); };
        type_.window_size = [](void* device, std::uint32_t port) noexcept -> std::uint64_t {
            const auto& size = definition().behaviours_[port].window_size;
            return size ? size(self(device)->device) : 0;
        };
        type_.provide = [](void* device, std::uint32_t port, std::uint32_t element) noexcept {
            return definition().behaviours_[port].provide(*self(device), element);
        };
        type_.connect = [](void* device, std::uint32_t port, std::uint32_t element,
                           backplane_link link) noexcept -> backplane_status {
            definition().behaviours_[port].connect(self(device)->device, element, link);
            return BACKPLANE_OK;
        };
        type_.start = &start;
        type_.reset = [](void* device, std::uint32_t kind) noexcept {
            for (const auto& function : definition().functions_)
                function(self(device)->device).reset();
            if constexpr (requires(T& t) { t.reset(ResetKind::Machine); })
                self(device)->device.reset(static_cast<ResetKind>(kind));
        };
        type_.stop = [](void* device) noexcept {
            if constexpr (requires(T& t) { t.stop(); }) self(device)->device.stop();
        };
        type_.read_statistics = [](void* device, std::uint64_t* values) noexcept {
            for (const auto& read : definition().readers_)
                *values++ = read(self(device)->device);
        };
        type_.state_address = [](void* device, std::uint32_t field) noexcept -> void* {
            return definition().addresses_[field](*self(device));
        };
        type_.restored = &restored;
    }

    static const Declaration& definition() {
        static const Declaration declaration{Finished{}};
        return declaration;
    }

    static Instance<T>* self(void* device) { return static_cast<Instance<T>*>(device); }

    static backplane_status create(const backplane_host* host, const backplane_value* values,
                                   void** device) {
        try {
            auto instance = std::make_unique<Instance<T>>();
            instance->device.bind(host);
            for (const auto& set : definition().setters_)
                set(instance->device, *values++);
            for (const auto& timer : definition().timers_)
                timer.bind(instance->device);
            for (const auto& bind : definition().binders_)
                bind(instance->device);
            for (const auto& bind : definition().window_binders_)
                bind(*instance);
            *device = instance.release();
            return BACKPLANE_OK;
        } catch (const std::exception& error) {
            host->fail(host->context, error.what());
        } catch (...) {
            host->fail(host->context, "an unknown exception");
        }
        return BACKPLANE_FAILED;
    }

    static backplane_status start(void* device) noexcept {
        if constexpr (requires(T& t) {
                          { t.start() } -> std::same_as<Outcome>;
                      }) {
            T& target = self(device)->device;
            const Outcome outcome = target.start();
            if (outcome) return BACKPLANE_OK;
            target.host().fail(target.host().context, outcome.error().c_str());
            return BACKPLANE_FAILED;
        }
        return BACKPLANE_OK;
    }

    static void restored(void* device) noexcept {
        Instance<T>& instance = *self(device);
        for (const auto& timer : definition().timers_)
            timer.timer(instance.device).restored();
        for (const auto& function : definition().functions_)
            function(instance.device).restored();
        if constexpr (requires(T& t) { t.restored(); }) instance.device.restored();
    }

    const char* name_ = "";
    const char* summary_ = "";
    T prototype_;
    std::deque<std::string> strings_;
    std::deque<std::vector<const char*>> choices_;
    std::deque<backplane_property> properties_;
    std::vector<backplane_property> property_array_;
    std::vector<std::function<void(T&, const backplane_value&)>> setters_;
    std::vector<backplane_port> ports_;
    std::deque<PortBehaviour> behaviours_;
    std::deque<RegisterBank<T>> banks_;
    std::vector<std::uint32_t> bank_ports_;
    std::deque<std::vector<backplane_register_field>> fields_;
    std::vector<backplane_register> registers_;
    std::vector<backplane_statistic> statistics_;
    std::vector<std::function<std::uint64_t(T&)>> readers_;
    std::vector<backplane_state_field> state_;
    std::vector<std::function<void*(Instance<T>&)>> addresses_;
    std::vector<TimerBehaviour> timers_;
    std::vector<std::function<void(T&)>> binders_;
    std::vector<std::function<void(Instance<T>&)>> window_binders_;
    std::vector<std::function<PciFunction&(T&)>> functions_;
    backplane_device_type type_{};
};

}  // namespace backplane

#include <backplane/pci_declaration.h>
