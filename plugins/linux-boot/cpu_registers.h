// Sets a CPU's registers by name, through the interface that every engine offers.
#pragma once

#include <backplane/connection.h>

#include <cstdint>
#include <expected>
#include <string>
#include <unordered_map>
#include <vector>

namespace backplane::linux_boot {

struct RegisterValue {
    std::string name;
    std::uint64_t value;
};

class CpuRegisters {
public:
    explicit CpuRegisters(const Connection<backplane_cpu>& cpu);

    // The error names the register that the engine lacks, or whose value it refuses.
    std::expected<void, std::string> check(const std::vector<RegisterValue>& registers) const;
    std::expected<void, std::string> set(const std::vector<RegisterValue>& registers) const;

private:
    Connection<backplane_cpu> cpu_;
    std::unordered_map<std::string, std::uint32_t> index_;
};

}  // namespace backplane::linux_boot
