// The device types that a machine file may use: what the loaded plugins offer.
#pragma once

#include <backplane/abi/device.h>

#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

class TypeCatalog {
public:
    virtual ~TypeCatalog() = default;

    struct Entry {
        const backplane_device_type* type = nullptr;
        std::string
            origin;  // for people: "chipset 0.1.0 (/usr/lib/backplane/plugins/libchipset.so)"
    };

    // Null when no loaded plugin offers it. The entry lives as long as the catalog.
    [[nodiscard]] virtual const Entry* find(std::string_view name) const = 0;
    // Sorted.
    [[nodiscard]] virtual std::vector<std::string> names() const = 0;
    // Why `name` might be missing, when the catalog knows: "plugin storage, which is not in
    // `plugins`, offers it". Empty otherwise.
    [[nodiscard]] virtual std::string why_missing(std::string_view) const { return {}; }
};

}  // namespace backplane::runtime
