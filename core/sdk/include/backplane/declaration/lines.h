// The interrupt lines and other signals of a device type.
#pragma once

#include <backplane/declaration/lists.h>
#include <backplane/line.h>

#include <cstdint>
#include <functional>
#include <string>

namespace backplane {

template <class T>
class DeclaresLines : protected virtual DeclarationLists<T> {
public:
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

private:
    using Lists = DeclarationLists<T>;
    using Lists::add_port;
    using Lists::add_state;
    using Lists::intern;
    using Lists::ports_;
};

}  // namespace backplane
