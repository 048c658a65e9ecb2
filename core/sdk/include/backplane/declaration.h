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
// What can be declared is in declaration/*.h, a file for each kind, and in pci_declaration.h.
// `declare` runs once per type. Names are kebab-case string literals. Accessors are pointers to
// data members, or captureless callables from T& to a reference (for members of members).
#pragma once

#include <backplane/abi.h>
#include <backplane/declaration/connections.h>
#include <backplane/declaration/device_functions.h>
#include <backplane/declaration/lines.h>
#include <backplane/declaration/lists.h>
#include <backplane/declaration/properties.h>
#include <backplane/declaration/reports.h>
#include <backplane/declaration/state.h>
#include <backplane/declaration/windows.h>
#include <backplane/device.h>
#include <backplane/instance.h>
#include <backplane/pci.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace backplane {

template <class T>
class PciDeclaration;

template <class T>
class Declaration : public DeclaresProperties<T>,
                    public DeclaresWindows<T>,
                    public DeclaresLines<T>,
                    public DeclaresConnections<T>,
                    public DeclaresState<T>,
                    public DeclaresReports<T> {
public:
    void type(const char* name, const char* summary) {
        name_ = name;
        summary_ = summary;
    }

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

    // The finished type; valid as long as the plugin.
    static const backplane_device_type* device_type() { return &definition().type_; }

private:
    friend class PciDeclaration<T>;
    friend class DeviceFunctions<T>;
    using Lists = DeclarationLists<T>;
    using Lists::add_port;
    using Lists::add_state;
    using Lists::binders_;
    using Lists::functions_;
    using Lists::intern;
    using Lists::ports_;
    using Lists::properties_;
    using Lists::registers_;
    using Lists::state_;
    using Lists::statistics_;

    struct Finished {};

    explicit Declaration(Finished) {
        T::declare(*this);
        finish();
    }

    // The index of a declared window, which from now on the device places itself. A name that
    // was not declared ends the program when the type is first used: it cannot pass any test.
    std::size_t placed_window(const char* name) {
        const auto port = std::ranges::find_if(
            ports_, [&](const backplane_port& each) { return std::strcmp(each.name, name) == 0; });
        if (port == ports_.end()) std::abort();
        port->flags |= BACKPLANE_PLACED;
        return static_cast<std::size_t>(port - ports_.begin());
    }

    void finish() {
        this->finish_banks();
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
        DeviceFunctions<T>::put_into(type_);
    }

    static const Declaration& definition() {
        static const Declaration declaration{Finished{}};
        return declaration;
    }

    const char* name_ = "";
    const char* summary_ = "";
    std::vector<backplane_property> property_array_;
    backplane_device_type type_{};
};

}  // namespace backplane

#include <backplane/pci_declaration.h>
