// What the machine file says about one device, sorted by the properties and ports that its type
// declares.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/machine_file.h"
#include "runtime/type_catalog.h"

#include <vector>

namespace backplane::runtime {

struct DeviceSettings {
    std::string name;
    Place place;                            // its name in the machine file
    const YamlEntry* type_entry = nullptr;  // null: no type is given
    // null: not known; then nothing below is filled in
    const backplane_device_type* type = nullptr;
    const YamlEntry* log = nullptr;
    std::vector<const YamlEntry*> properties;  // in declared order; null: the file is silent
    std::vector<const YamlEntry*> ports;       // likewise
    // Settings of an earlier type which this one does not know. They were said less specifically
    // than the type.
    std::vector<const YamlEntry*> dropped;

    // Where to point when something is missing.
    [[nodiscard]] const Place& blame() const {
        return type_entry ? type_entry->value->place : place;
    }
    // "serial0.registers"
    [[nodiscard]] std::string subject(const char* key) const { return name + "." + key; }
};

// One for each device, in the document's order, whose nodes they point to. Unknown types and keys
// are reported.
[[nodiscard]] std::vector<DeviceSettings> device_settings(const MachineDocument& document,
                                                          const TypeCatalog& types,
                                                          Diagnostics& diagnostics);

[[nodiscard]] bool is_window(const backplane_port& port);

}  // namespace backplane::runtime
