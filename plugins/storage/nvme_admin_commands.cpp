// NVM Express 1.4, chapter 5.
#include "nvme_controller.h"
#include "nvme_identify.h"
#include "nvme_log_pages.h"

#include <algorithm>
#include <chrono>

namespace backplane::storage::nvme {

namespace {

// Identify's Controller or Namespace Structure. (figure 244)
constexpr unsigned of_namespace = 0x00, of_controller = 0x01, active_namespaces = 0x02,
                   namespace_descriptors = 0x03;

}  // namespace

// Admin commands have PRPs. (4.2)
Controller::Result Controller::run_admin(Request& request, const Command& command) {
    if (command.fuse() != 0 || command.psdt() != 0) return Answer{Status::InvalidField};
    switch (static_cast<AdminOpcode>(command.opcode())) {
    case AdminOpcode::DeleteSubmissionQueue: return delete_submission_queue(request, command);
    case AdminOpcode::CreateSubmissionQueue: return create_submission_queue(command);
    case AdminOpcode::GetLogPage: return get_log_page(command);
    case AdminOpcode::DeleteCompletionQueue: return delete_completion_queue(command);
    case AdminOpcode::CreateCompletionQueue: return create_completion_queue(command);
    case AdminOpcode::Identify: return identify(command);
    case AdminOpcode::Abort: return abort(command);
    case AdminOpcode::SetFeatures: return set_features(request, command);
    case AdminOpcode::GetFeatures: return get_features(command);
    case AdminOpcode::AsynchronousEventRequest: return request_event(request, command);
    case AdminOpcode::DoorbellBufferConfig: return configure_doorbell_buffer(command);
    default: return Answer{Status::InvalidOpcode};
    }
}

// `length` bytes of the guest's memory get what there is of `data`.
Status Controller::send_data(const Command& command, std::span<const std::byte> data,
                             std::uint64_t length) {
    GuestBuffer buffer;
    const Status status = add_prps(pci_.memory(), command.prp1(), command.prp2(), length,
                                   CC::page_shift(cc_), buffer);
    if (status == Status::Success)
        buffer.copy_to_guest(pci_.memory(), data.first(static_cast<std::size_t>(
                                                std::min<std::uint64_t>(length, data.size()))));
    return status;
}

Controller::Result Controller::identify(const Command& command) {
    const auto send = [&](const IdentifyData& data) {
        return Answer{send_data(command, data, data.size())};
    };
    const std::uint32_t id = command.namespace_id();
    switch (command.cdw10() & 0xff) {
    case of_controller:
        return send(
            identify_controller({.serial = serial_,
                                 .model = model_,
                                 .firmware = firmware_,
                                 .vendor = 0x1b36,
                                 .subsystem_vendor = 0x1af4,
                                 .namespaces = static_cast<std::uint32_t>(namespaces_.size())}));
    case of_namespace: {
        const Namespace* space = find_namespace(id);
        return space != nullptr ? send(identify_namespace(*space, serial_))
                                : Answer{Status::InvalidNamespace};
    }
    case active_namespaces:
        if (id >= all_namespaces - 1) return Answer{Status::InvalidNamespace};
        return send(identify_active_namespaces(namespaces_, id));
    case namespace_descriptors: {
        const Namespace* space = find_namespace(id);
        if (space == nullptr) return Answer{Status::InvalidNamespace};
        if (!space->is_active()) return Answer{Status::InvalidField};
        return send(identify_descriptors(*space, serial_));
    }
    default: return Answer{Status::InvalidField};
    }
}

std::uint8_t Controller::critical_warning() const {
    const bool is_out_of_range = temperature >= features_.over_temperature ||
                                 temperature <= features_.under_temperature;
    return is_out_of_range ? 0x02 : 0;
}

std::vector<std::byte> Controller::log_page(LogPage page) const {
    switch (page) {
    case LogPage::ErrorInformation: return errors_.page();
    case LogPage::Health:
        return health_page(health_,
                           {.critical_warning = critical_warning(),
                            .errors = errors_.count(),
                            .hours = static_cast<std::uint64_t>(
                                std::chrono::duration_cast<std::chrono::hours>(now()).count())});
    case LogPage::FirmwareSlot: return firmware_slot_page(firmware_);
    case LogPage::ChangedNamespaces: return changed_namespaces_page(namespaces_changed_);
    case LogPage::CommandsSupported: return commands_supported_page();
    default: return {};
    }
}

Controller::Result Controller::get_log_page(const Command& command) {
    const auto id = static_cast<std::uint8_t>(command.cdw10());
    const bool is_retained = (command.cdw10() & 1u << 15) != 0;
    const std::uint64_t dwords = (command.cdw10() >> 16 | std::uint64_t{command.cdw11() & 0xffff}
                                                              << 16) +
                                 1;
    const std::uint64_t offset = command.cdw12() | std::uint64_t{command.dwords[13]} << 32;
    const std::vector<std::byte> page = log_page(LogPage{id});
    if (page.empty()) return Answer{Status::InvalidLogPage};
    // None is of one namespace.
    if (command.namespace_id() != 0 && command.namespace_id() != all_namespaces)
        return Answer{Status::InvalidField};
    if (offset % 4 != 0 || offset > page.size() || dwords * 4 > largest_transfer)
        return Answer{Status::InvalidField};
    const auto rest = std::span{page}.subspan(static_cast<std::size_t>(offset));
    const Status status = send_data(command, rest, dwords * 4);
    if (status != Status::Success) return Answer{status};
    if (!is_retained) {
        if (LogPage{id} == LogPage::ChangedNamespaces) namespaces_changed_ = {};
        events_.log_page_was_read(id);
    }
    return Answer{};
}

// Only what has not begun can be: the answer says whether it was. (5.1)
Controller::Result Controller::abort(const Command& command) {
    const auto queue = static_cast<std::uint16_t>(command.cdw10());
    const auto id = static_cast<std::uint16_t>(command.cdw10() >> 16);
    if (!queues_.submission.has(queue)) return Answer{Status::InvalidField};
    if (queue == 0) {
        if (!events_.abort(id)) return Answer{Status::Success, 1};
        post(0, id, Status::AbortRequested, 0);
        return Answer{};
    }
    for (const std::size_t index : in_order(Requests::Stage::Waiting)) {
        Request& request = requests_.running[index];
        if (requests_.queue[index] != queue || requests_.command_of(request).id() != id) continue;
        answer(request, Status::AbortRequested);
        return Answer{};
    }
    return Answer{Status::Success, 1};
}

// Its answer may never come, so that neither a place in the completion queue nor one among the
// requests is kept for it.
Controller::Result Controller::request_event(Request& request, const Command& command) {
    if (!events_.add_request(command.id()))
        return Answer{Status::AsynchronousEventRequestLimitExceeded};
    release(request);
    --queues_.completion.reserved[0];
    return std::nullopt;
}

}  // namespace backplane::storage::nvme
