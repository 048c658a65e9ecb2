// The properties of a device type.
#pragma once

#include <backplane/declaration/lists.h>
#include <backplane/property.h>

#include <cstdint>
#include <initializer_list>
#include <type_traits>

namespace backplane {

template <class T>
class DeclaresProperties : protected virtual DeclarationLists<T> {
public:
    // The default is the member's initializer.
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

private:
    using Lists = DeclarationLists<T>;
    using Lists::choices_;
    using Lists::properties_;
    using Lists::prototype_;
    using Lists::setters_;

    backplane_property& add_property(const char* name, const char* doc,
                                     backplane_property_kind kind) {
        backplane_property entry{};
        entry.struct_size = sizeof entry;
        entry.kind = kind;
        entry.name = name;
        entry.doc = doc;
        return properties_.emplace_back(entry);
    }
};

}  // namespace backplane
