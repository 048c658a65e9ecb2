#include "nvme_log_pages.h"

#include "nvme_command.h"

#include <algorithm>
#include <cstring>

namespace backplane::storage::nvme {

namespace {

template <class Value>
void put(std::vector<std::byte>& page, std::size_t offset, Value value) {
    std::memcpy(page.data() + offset, &value, sizeof value);
}

// In thousands of 512 bytes, rounded up.
std::uint64_t data_units(std::uint64_t bytes) { return (bytes + 511'999) / 512'000; }

}  // namespace

// Figure 196.
std::vector<std::byte> health_page(const Health& health, const HealthNow& now) {
    std::vector<std::byte> page(512);
    put(page, 0, now.critical_warning);
    put(page, 1, temperature);
    put<std::uint8_t>(page, 3, 100);  // percent of spare blocks left
    put<std::uint8_t>(page, 4, 10);   // and how few are too few
    put(page, 32, data_units(health.bytes_read));
    put(page, 48, data_units(health.bytes_written));
    put(page, 64, health.reads);
    put(page, 80, health.writes);
    put<std::uint64_t>(page, 112, 1);  // power cycles: this one
    put(page, 128, now.hours);
    put(page, 144, health.unsafe_shutdowns);
    put(page, 160, health.media_errors);
    put(page, 176, now.errors);
    return page;
}

// Figure 197.
std::vector<std::byte> firmware_slot_page(const std::string& firmware) {
    std::vector<std::byte> page(512);
    put<std::uint8_t>(page, 0, 1);  // slot 1 is the active one
    std::memset(page.data() + 8, ' ', 8);
    std::memcpy(page.data() + 8, firmware.data(), std::min<std::size_t>(firmware.size(), 8));
    return page;
}

std::vector<std::byte> changed_namespaces_page(std::span<const bool> changed) {
    std::vector<std::byte> page(4096);
    std::size_t offset = 0;
    for (std::size_t index = 0; index < changed.size(); ++index) {
        if (!changed[index]) continue;
        put(page, offset, static_cast<std::uint32_t>(index + 1));
        offset += 4;
    }
    return page;
}

// Figure 199 and 200.
std::vector<std::byte> commands_supported_page() {
    constexpr std::uint32_t supported = 1, changes_content = 2;
    std::vector<std::byte> page(4096);
    for (const AdminOpcode opcode :
         {AdminOpcode::DeleteSubmissionQueue, AdminOpcode::CreateSubmissionQueue,
          AdminOpcode::GetLogPage, AdminOpcode::DeleteCompletionQueue,
          AdminOpcode::CreateCompletionQueue, AdminOpcode::Identify, AdminOpcode::Abort,
          AdminOpcode::SetFeatures, AdminOpcode::GetFeatures, AdminOpcode::AsynchronousEventRequest,
          AdminOpcode::DoorbellBufferConfig})
        put(page, static_cast<std::size_t>(opcode) * 4, supported);
    constexpr std::size_t io = 1024;
    for (const IoOpcode opcode :
         {IoOpcode::Flush, IoOpcode::Read, IoOpcode::Compare, IoOpcode::Verify})
        put(page, io + static_cast<std::size_t>(opcode) * 4, supported);
    for (const IoOpcode opcode :
         {IoOpcode::Write, IoOpcode::WriteZeroes, IoOpcode::DatasetManagement})
        put(page, io + static_cast<std::size_t>(opcode) * 4, supported | changes_content);
    return page;
}

}  // namespace backplane::storage::nvme
