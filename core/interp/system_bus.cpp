#include "interp/system_bus.h"

#include "x86/guest_floating_point.h"

#include <cstddef>

namespace backplane::interp {
namespace {

constexpr std::uint32_t apic_base_msr = 0x1b, tsc_deadline_msr = 0x6e0;
constexpr std::uint64_t apic_enabled = 1u << 11, apic_extended = 1u << 10,
                        apic_boot_processor = 1u << 8, apic_address = 0x000f'ffff'ffff'f000;

bool knows_exclusive(const backplane_host& host) {
    return host.struct_size >= offsetof(backplane_host, end_exclusive) + sizeof(host.end_exclusive);
}

}  // namespace

PhysicalRange SystemBus::find(std::uint64_t address) {
    // Where there is no memory a page at a time is enough, and the local APIC's page is never part
    // of a larger range.
    const PhysicalRange page{address & ~std::uint64_t{0xfff}, 0x1000, nullptr, false, false};
    if (is_local_apic(address)) return page;
    const backplane_range found = memory.find(address);
    if (!found.memory) return page;
    const PhysicalRange range{found.start, found.length, found.memory, found.readable != 0,
                              found.writable != 0};
    return range.contains(apic_page_)
               ? PhysicalRange{page.start, page.length, range.host(page.start), range.readable,
                               range.writable}
               : range;
}

std::uint64_t SystemBus::read(std::uint64_t address, unsigned size) {
    if (is_local_apic(address))
        return controller.call<&backplane_interrupt_controller::read>(address - apic_page_, size);
    return memory.connection().call<&backplane_address_space::read>(address, size);
}

void SystemBus::write(std::uint64_t address, unsigned size, std::uint64_t value) {
    if (is_local_apic(address))
        return controller.call<&backplane_interrupt_controller::write>(address - apic_page_, size,
                                                                       value);
    memory.connection().call<&backplane_address_space::write>(address, size, value);
}

std::uint64_t SystemBus::read_port(std::uint16_t port, unsigned size) {
    return io.connection().call<&backplane_address_space::read>(std::uint64_t{port}, size);
}

void SystemBus::write_port(std::uint16_t port, unsigned size, std::uint64_t value) {
    io.connection().call<&backplane_address_space::write>(std::uint64_t{port}, size, value);
}

// Hosts before ABI 1.2 make single accesses only.
std::uint32_t SystemBus::read_port_many(std::uint16_t port, unsigned size,
                                        std::span<std::byte> data) {
    const auto& space = io.connection();
    if (!space.has<&backplane_address_space::read_many>()) return 0;
    return space.call<&backplane_address_space::read_many>(
        std::uint64_t{port}, size, static_cast<void*>(data.data()),
        static_cast<std::uint32_t>(data.size() / size));
}

std::uint32_t SystemBus::write_port_many(std::uint16_t port, unsigned size,
                                         std::span<const std::byte> data) {
    const auto& space = io.connection();
    if (!space.has<&backplane_address_space::write_many>()) return 0;
    return space.call<&backplane_address_space::write_many>(
        std::uint64_t{port}, size, static_cast<const void*>(data.data()),
        static_cast<std::uint32_t>(data.size() / size));
}

int SystemBus::acknowledge_interrupt() {
    return controller ? controller.call<&backplane_interrupt_controller::acknowledge>() : -1;
}

void SystemBus::watch_code(std::uint64_t page, bool watch) {
    memory.connection().call<&backplane_address_space::watch_code>(page, std::int32_t{watch});
}

void SystemBus::claim_code_page(std::uint64_t page) {
    const auto& space = memory.connection();
    if (space.has<&backplane_address_space::claim_code_page>())
        space.call<&backplane_address_space::claim_code_page>(page);
}

bool SystemBus::is_only_processor() const {
    constexpr std::size_t needed = offsetof(backplane_host, cpu_count) + sizeof(host->cpu_count);
    return host->struct_size >= needed && host->cpu_count(host->context) == 1;
}

// Hosts of ABI 1.0 have no such section: their machines are for one processor.
void SystemBus::begin_exclusive() {
    if (knows_exclusive(*host)) host->begin_exclusive(host->context);
}
void SystemBus::end_exclusive() {
    if (knows_exclusive(*host)) host->end_exclusive(host->context);
}

bool SystemBus::is_boot_processor() const {
    return !has_local_apic() || (base() & apic_boot_processor);
}

int SystemBus::take_startup() {
    return controller.has<&backplane_interrupt_controller::take_startup>()
               ? controller.call<&backplane_interrupt_controller::take_startup>()
               : -1;
}

std::uint32_t SystemBus::local_apic_id() {
    constexpr std::uint64_t id_register = 0x20;
    if (!has_local_apic() || !controller->read) return 0;
    return static_cast<std::uint32_t>(
        controller.call<&backplane_interrupt_controller::read>(id_register, 4u) >> 24);
}

std::uint8_t SystemBus::task_priority() const {
    const x86::HostFloatingPoint host;
    return controller->task_priority
               ? controller.call<&backplane_interrupt_controller::task_priority>()
               : std::uint8_t{0};
}

void SystemBus::set_task_priority(std::uint8_t cr8) {
    const x86::HostFloatingPoint host;
    if (controller->set_task_priority)
        controller.call<&backplane_interrupt_controller::set_task_priority>(cr8);
}

std::uint64_t SystemBus::base() const {
    const x86::HostFloatingPoint host;
    std::uint64_t value = 0;
    controller.call<&backplane_interrupt_controller::read_msr>(apic_base_msr, &value);
    return value;
}

bool SystemBus::set_base(std::uint64_t value) {
    const x86::HostFloatingPoint host;
    if (!controller.call<&backplane_interrupt_controller::write_msr>(apic_base_msr, value))
        return false;
    const std::uint64_t before = apic_page_;
    find_local_apic_page();
    if (apic_page_ != before && on_local_apic_moved) on_local_apic_moved();
    return true;
}

std::optional<std::uint64_t> SystemBus::read_msr(std::uint32_t index) {
    const x86::HostFloatingPoint host;
    std::uint64_t value = 0;
    if (!controller.call<&backplane_interrupt_controller::read_msr>(index, &value))
        return std::nullopt;
    return value;
}

bool SystemBus::write_msr(std::uint32_t index, std::uint64_t value) {
    const x86::HostFloatingPoint host;
    return controller.call<&backplane_interrupt_controller::write_msr>(index, value) != 0;
}

std::uint64_t SystemBus::tsc_deadline() const {
    const x86::HostFloatingPoint host;
    std::uint64_t time = 0;
    controller.call<&backplane_interrupt_controller::read_msr>(tsc_deadline_msr, &time);
    return time != 0 ? deadline_ticks : 0;
}

void SystemBus::set_tsc_deadline(std::uint64_t ticks) {
    const x86::HostFloatingPoint host;
    deadline_ticks = ticks;
    // Later than any clock runs.
    constexpr std::uint64_t never = std::uint64_t{1} << 62;
    const std::uint64_t time = ticks < never
                                   ? static_cast<std::uint64_t>(tsc_frequency.span(ticks).count())
                                   : never;
    controller.call<&backplane_interrupt_controller::write_msr>(tsc_deadline_msr, time);
}

void SystemBus::find_local_apic_page() {
    apic_page_ = no_page;
    if (!has_local_apic() || !controller->read) return;
    const std::uint64_t value = base();
    if ((value & apic_enabled) && !(value & apic_extended)) apic_page_ = value & apic_address;
}

}  // namespace backplane::interp
