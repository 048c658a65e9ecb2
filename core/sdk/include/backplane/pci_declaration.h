// The part of a declaration that makes a device a PCI function.
#pragma once

#include <backplane/declaration.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

namespace backplane {

// What Declaration::pci_function returns: the rest of the function. Windows are named as declared
// before.
template <class T>
class PciDeclaration {
public:
    using Accessor = std::function<PciFunction&(T&)>;

    PciDeclaration(Declaration<T>& declaration, const char* name, Accessor function)
        : declaration_{declaration}, name_{name}, function_{std::move(function)} {}

    // Base address register `index` (PciFunction::rom for the expansion ROM) decodes this window.
    PciDeclaration& bar(unsigned index, const char* window, const PciBar& bar = {}) {
        return bind(window, [index, bar](PciFunction& function, const Window& w) {
            function.add_bar(index, w.link, w.name, w.bytes, w.is_io, bar);
        });
    }

    // The window is at this address while the command register's enable bit is on.
    PciDeclaration& fixed(const char* window, std::uint64_t address) {
        return bind(window, [address](PciFunction& function, const Window& w) {
            function.add_fixed(w.link, w.name, w.bytes, w.is_io, address);
        });
    }

    // The device places the window itself, as registers of its own say: PciFunction::window.
    PciDeclaration& placed(const char* window) {
        return bind(window, [](PciFunction& function, const Window& w) {
            function.add_placed(w.link, w.name, w.bytes, w.is_io);
        });
    }

    PciDeclaration& msi(unsigned vectors = 1) {
        return bind([vectors](PciFunction& function) { function.add_msi(vectors); });
    }

    PciDeclaration& msix(unsigned vectors, unsigned bar, std::uint32_t table,
                         std::uint32_t pending) {
        const Accessor function = function_;
        declaration_.add_state(
            declaration_.intern(std::string{name_} + ".message-table"), BACKPLANE_STATE_UNSIGNED, 4,
            std::size_t{PciMessageTable::max_vectors} * 4,
            [function](Instance<T>& instance) -> void* {
                return function(instance.device).message_table().saved_entries().data();
            });
        declaration_.add_state(
            declaration_.intern(std::string{name_} + ".pending"), BACKPLANE_STATE_UNSIGNED, 8, 1,
            [function](Instance<T>& instance) -> void* {
                return &function(instance.device).message_table().saved_pending();
            });
        return bind([=](PciFunction& f) { f.add_msix(vectors, bar, table, pending); });
    }

    PciDeclaration& power_management() {
        return bind([](PciFunction& function) { function.add_power_management(); });
    }

    // void written(unsigned offset, unsigned bytes): after a guest wrote configuration space, also
    // where nothing could be changed.
    template <auto written>
    PciDeclaration& on_config_write() {
        const Accessor function = function_;
        declaration_.binders_.push_back([function](T& device) {
            function(device).on_config_write(
                [&device](unsigned offset, unsigned bytes) { (device.*written)(offset, bytes); });
        });
        return *this;
    }

private:
    struct Window {
        backplane_link link;
        const char* name;
        std::uint64_t bytes;
        bool is_io;
    };

    PciDeclaration& bind(std::function<void(PciFunction&)> add) {
        declaration_.window_binders_.push_back(
            [function = function_, add = std::move(add)](Instance<T>& instance) {
                add(function(instance.device));
            });
        return *this;
    }

    PciDeclaration& bind(const char* window, std::function<void(PciFunction&, const Window&)> add) {
        const std::size_t index = declaration_.placed_window(window);
        declaration_.window_binders_.push_back([function = function_, index,
                                                add = std::move(add)](Instance<T>& instance) {
            const auto& ports = Declaration<T>::definition().ports_;
            const auto& behaviour = Declaration<T>::definition().behaviours_[index];
            const bool is_io = std::strcmp(ports[index].interface_id, BACKPLANE_PORT_WINDOW) == 0;
            const std::uint64_t bytes = behaviour.window_size
                                            ? behaviour.window_size(instance.device)
                                            : ports[index].size;
            if (bytes == 0) return;
            add(function(instance.device),
                {behaviour.provide(instance, 0), ports[index].name, bytes, is_io});
        });
        return *this;
    }

    Declaration<T>& declaration_;
    const char* name_;
    Accessor function_;
};

}  // namespace backplane
