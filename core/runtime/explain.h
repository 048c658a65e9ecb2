// Tells for each effective setting of a machine which value it has and where that was said:
// `backplane explain MACHINE`.
#pragma once

#include "runtime/machine_description.h"
#include "runtime/machine_file.h"
#include "runtime/type_catalog.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace backplane::runtime {

struct ExplainedSetting {
    std::string path;    // "serial0.irq"
    std::string value;   // as a machine file would say it
    std::string origin;  // "machines/common/pc.yaml:12", "-p serial0.irq=pic0.3", "default of
                         // chipset.uart16550"
    std::string remark;  // "replaces pic0.4 (machines/common/pc.yaml:9)", "dropped: …"
    bool is_default = false;
};

// `machine` is what check_machine made of `document`.
[[nodiscard]] std::vector<ExplainedSetting> explain(const MachineDocument& document,
                                                    const MachineDescription& machine,
                                                    const TypeCatalog& types);

[[nodiscard]] std::string explain_text(const std::vector<ExplainedSetting>& settings);
[[nodiscard]] nlohmann::ordered_json explain_json(const std::vector<ExplainedSetting>& settings);

}  // namespace backplane::runtime
