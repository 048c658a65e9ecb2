// Feature bits and device status bits that all virtio devices share (virtio 1.2, chapters 6 and
// 2.1).
#pragma once

#include <cstdint>

namespace backplane::virtio {

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

namespace feature {
// Legacy drivers may assume nothing of how messages are cut into descriptors; newer ones never may.
inline constexpr std::uint64_t any_layout = bit(27);
inline constexpr std::uint64_t indirect_descriptors = bit(28);
inline constexpr std::uint64_t event_index = bit(29);
inline constexpr std::uint64_t version_1 = bit(32);
inline constexpr std::uint64_t ring_packed = bit(34);
inline constexpr std::uint64_t ring_reset = bit(40);
}  // namespace feature

namespace status {
inline constexpr std::uint8_t acknowledge = 0x01, driver = 0x02, driver_ok = 0x04,
                              features_ok = 0x08, needs_reset = 0x40, failed = 0x80;
}  // namespace status

}  // namespace backplane::virtio
