// What a device type tells of itself: statistics and events.
#pragma once

#include <backplane/declaration/lists.h>
#include <backplane/events.h>

#include <cstdint>
#include <functional>
#include <type_traits>

namespace backplane {

template <class T>
class DeclaresReports : protected virtual DeclarationLists<T> {
public:
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

    // Nanoseconds that something has taken altogether.
    template <class Accessor>
    void duration(const char* name, Accessor accessor, const char* doc) {
        add_statistic(BACKPLANE_DURATION_TOTAL, name, accessor, "ns", doc);
    }

private:
    using Lists = DeclarationLists<T>;
    using Lists::binders_;
    using Lists::readers_;
    using Lists::statistics_;

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
};

}  // namespace backplane
