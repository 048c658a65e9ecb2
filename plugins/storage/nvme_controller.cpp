#include "nvme_controller.h"

#include <algorithm>

namespace backplane::storage::nvme {

namespace {

// Of the memory behind base address register 0: registers and doorbells, the MSI-X table, its
// pending bits.
constexpr std::uint64_t window_size = 0x4000;
constexpr std::uint32_t message_table = 0x2000, pending_messages = 0x3000;

constexpr PciIdentity identity{.vendor = 0x1b36,
                               .device = 0x0010,
                               .class_code = 0x010802,
                               .revision = 2,
                               .subsystem_vendor = 0x1af4,
                               .subsystem = 0x1100,
                               .interrupt_pin = 1};

}  // namespace

void Controller::declare(Declaration<Controller>& d) {
    d.type("storage.nvme", "NVMe controller, and a namespace for each of its images");
    d.property("queues", &Controller::queue_pairs_, "Most pairs of queues that a guest can create")
        .range(1u, most_queues - 1);
    d.property("block-size", &Controller::block_size_, {"512", "4096"},
               "Bytes of a block, as the guest sees it");
    d.property("serial", &Controller::serial_,
               "Serial number, at most 20 characters; the device's name when empty");
    d.property("model", &Controller::model_, "Model, at most 40 characters");
    d.property("firmware", &Controller::firmware_, "Firmware revision, at most 8 characters");
    d.property("access-time", &Controller::access_time_,
               "Guest time from when a command is fetched to when it begins");
    d.connects_all("image", &Controller::images_, "What is in namespaces 1, 2, ...");

    d.memory_window<&Controller::read_registers, &Controller::write_registers>(
         "registers", window_size, "Registers and doorbells", 4)
        .reg(reg::CAP, "CAP", "Capabilities", 8)
        .reg(reg::VS, "VS", "Version of the specification", 4)
        .reg(reg::INTMS, "INTMS", "Interrupt mask, set", 4)
        .reg(reg::INTMC, "INTMC", "Interrupt mask, clear", 4)
        .reg(reg::CC, "CC", "Configuration", 4)
        .reg(reg::CSTS, "CSTS", "Status", 4)
        .reg(reg::AQA, "AQA", "Sizes of the admin queues", 4)
        .reg(reg::ASQ, "ASQ", "Address of the admin submission queue", 8)
        .reg(reg::ACQ, "ACQ", "Address of the admin completion queue", 8)
        .reg(reg::doorbells, "SQ0TDBL", "Tail of submission queue 0; the others follow", 4)
        .reg(reg::doorbells + 4, "CQ0HDBL", "Head of completion queue 0; the others follow", 4);
    d.pci_function("slot", &Controller::pci_, identity)
        .bar(0, "registers", {.is_64_bit = true})
        .msix(most_queues, 0, message_table, pending_messages)
        .msi(32)
        .power_management()
        .on_config_write<&Controller::config_written>();

    d.saved("CC", &Controller::cc_);
    d.saved("CSTS", &Controller::csts_);
    d.saved("resetting", &Controller::is_resetting_);
    d.saved("AQA", &Controller::aqa_);
    d.saved("ASQ", &Controller::asq_);
    d.saved("ACQ", &Controller::acq_);
    Queues::declare_saved(d, [](Controller& t) -> auto& { return t.queues_; });
    d.saved("next-queue", &Controller::next_queue_);
    d.saved("next-class", &Controller::next_class_);
    d.saved("next-of-class", &Controller::next_of_class_);
    Features::declare_saved(d, [](Controller& t) -> auto& { return t.features_; });
    Events::declare_saved(d, [](Controller& t) -> auto& { return t.events_; });
    ErrorLog::declare_saved(d, [](Controller& t) -> auto& { return t.errors_; });
    Health::declare_saved(d, [](Controller& t) -> auto& { return t.health_; });
    Interrupts::declare_saved(d, [](Controller& t) -> auto& { return t.interrupts_; });
    d.saved("namespaces-changed", &Controller::namespaces_changed_);
    d.saved("shadow-doorbells.enabled", &Controller::shadow_enabled_);
    d.saved("shadow-doorbells", &Controller::shadow_doorbells_);
    d.saved("event-indices", &Controller::event_indices_);
    Requests::declare_saved(d, [](Controller& t) -> auto& { return t.requests_; });
    d.timer<&Controller::coalescing_ended>(
        "coalescing", [](Controller& t) -> auto& { return t.interrupts_.timer(); });
    d.timer<&Controller::work>("work", &Controller::work_timer_);
    d.timer<&Controller::start_waiting>("access", &Controller::access_timer_);

    d.counter("commands", &Controller::commands_, "commands", "Fetched from queues");
    d.counter("failures", &Controller::failures_, "commands", "Answered with an error");
    d.counter(
        "interrupts", [](Controller& t) { return t.interrupts_.sent(); }, "interrupts",
        "Sent as messages");
    d.counter(
        "bytes.read", [](Controller& t) { return t.health_.bytes_read; }, "bytes",
        "That the guest read");
    d.counter(
        "bytes.written", [](Controller& t) { return t.health_.bytes_written; }, "bytes",
        "That the guest wrote");
    d.gauge(
        "in-flight",
        [](Controller& t) {
            return static_cast<std::uint64_t>(std::ranges::count_if(
                t.requests_.running, [](const Request& each) { return each.is_pending; }));
        },
        "requests", "That images work on");
}

backplane::Outcome Controller::start() {
    if (images_.empty()) return std::unexpected("image: there has to be one at least");
    if (images_.size() > most_namespaces)
        return std::unexpected("image: there are " + std::to_string(images_.size()) +
                               ", and a controller has at most " + std::to_string(most_namespaces) +
                               " namespaces");
    if (serial_.empty()) serial_ = std::string{name()}.substr(0, 20);
    for (const auto& [property, text, most] :
         {std::tuple{"serial", &serial_, 20u}, std::tuple{"model", &model_, 40u},
          std::tuple{"firmware", &firmware_, 8u}})
        if (text->size() > most)
            return std::unexpected(std::string{property} + ": \"" + *text + "\" has more than " +
                                   std::to_string(most) + " characters");
    const unsigned block_shift = block_size_ == BlockSize::Bytes512 ? 9 : 12;
    for (const BlockDevice& image : images_) {
        const auto id = static_cast<std::uint32_t>(namespaces_.size() + 1);
        if (image.info().block_size > 1u << block_shift)
            return std::unexpected("block-size: image " + std::to_string(id) +
                                   " can only be accessed in blocks of " +
                                   std::to_string(image.info().block_size) + " bytes");
        namespaces_.push_back(std::make_unique<Namespace>(id, image, block_shift,
                                                          [this, id] { namespace_changed(id); }));
        namespaces_.back()->listen();
    }
    for (std::size_t index = 0; index < requests_.running.size(); ++index) {
        requests_.running[index].controller = this;
        requests_.running[index].index = index;
    }
    express_.add_to(pci_.config());
    interrupts_.connect(pci_, queues_, features_);
    return {};
}

void Controller::stop() {
    abandon_requests();
    wait_for_images();
}

void Controller::wait_for_images() const {
    for (const auto& space : namespaces_)
        space->image().wait();
}

void Controller::restored() {
    const OnTheBus guard{*this};
    for (Request& request : requests_.running) {
        if (!request.is_pending || request.is_abandoned) continue;
        request.is_abandoned = true;
        ++abandoned_;
    }
    wait_for_images();
    deletes_ = {};
    host().post(
        host().context,
        [](void* self) noexcept { static_cast<Controller*>(self)->repeat_interrupted(); }, this);
}

}  // namespace backplane::storage::nvme
