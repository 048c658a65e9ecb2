// An NVMe controller with its namespaces: disks that take commands from queues in memory, many at a
// time. (NVM Express 1.4)
//
//   nvme_controller.cpp       the declaration, start and saved state
//   nvme_life.cpp             registers; enabling, resetting and shutting down
//   nvme_doorbells.cpp        doorbells, in registers and in memory
//   nvme_arbitration.cpp      whose commands are next
//   nvme_execution.cpp        fetching commands from queues, and answering them
//   nvme_admin_commands.cpp   the admin commands; of them
//   nvme_queue_commands.cpp     those that create and delete queues
//   nvme_feature_commands.cpp   and those that get and set features
//   nvme_io_commands.cpp      reading, writing and what else is done to blocks
//
// It has no controller memory buffer, no end-to-end protection, no metadata, no namespace
// management and no formatting, and says so.
#pragma once

#include "nvme_command.h"
#include "nvme_data_pointer.h"
#include "nvme_error_log.h"
#include "nvme_events.h"
#include "nvme_features.h"
#include "nvme_health.h"
#include "nvme_interrupts.h"
#include "nvme_log_pages.h"
#include "nvme_namespace.h"
#include "nvme_pci_express.h"
#include "nvme_queues.h"
#include "nvme_registers.h"
#include "nvme_requests.h"

#include <backplane/sdk.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace backplane::storage::nvme {

class Controller final : public Device {
public:
    static void declare(Declaration<Controller>& d);

    Outcome start();
    void stop();
    void reset(ResetKind kind);
    void restored();

private:
    static constexpr std::size_t most_namespaces = 64;
    // Commands that are begun before the guest goes on: so many may take a while.
    static constexpr unsigned most_at_once = 256;

    // What a command came to at once; nothing when its answer comes later.
    struct Answer {
        Status status = Status::Success;
        std::uint32_t result = 0;
    };
    using Result = std::optional<Answer>;

    // While it lives, the controller uses the bus: its registers do not answer to itself, so that
    // no queue or buffer of a guest's can be in them.
    class OnTheBus {
    public:
        explicit OnTheBus(Controller& controller)
            : flag_{controller.is_on_the_bus_}, before_{flag_} {
            flag_ = true;
        }
        ~OnTheBus() { flag_ = before_; }
        OnTheBus(const OnTheBus&) = delete;
        OnTheBus& operator=(const OnTheBus&) = delete;

    private:
        bool& flag_;
        bool before_;
    };

    enum class BlockSize : std::uint8_t { Bytes512, Bytes4096 };

    // ---- Registers, and the controller as a whole ----

    std::uint64_t read_registers(std::uint64_t offset, unsigned size);
    void write_registers(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint32_t read_register(std::uint64_t offset) const;
    void write_register(std::uint64_t offset, std::uint32_t value);
    void config_written(unsigned offset, unsigned bytes);

    void write_configuration(std::uint32_t value);
    bool is_enabled() const {
        return !is_resetting_ && (csts_ & (CSTS::RDY | CSTS::CFS)) == CSTS::RDY;
    }
    std::uint64_t page_offset_mask() const { return (std::uint64_t{1} << CC::page_shift(cc_)) - 1; }
    void enable();
    void begin_reset();
    void finish_reset();
    void forget_everything();
    void begin_shutdown();
    void abandon_requests();
    void wait_for_images() const;
    void namespace_changed(std::uint32_t id);

    // ---- Doorbells ----

    void ring(std::uint64_t index, std::uint32_t value);
    void refuse_doorbell(const Event& event);
    bool has_shadow(std::uint32_t queue) const { return shadow_enabled_ && queue != 0; }
    void read_shadow_tail(std::uint32_t queue);
    void read_shadow_head(std::uint32_t queue);
    void look_at_shadow_tail(std::uint32_t queue);
    void look_at_shadow_head(std::uint32_t queue);
    void ask_for_head(std::uint32_t queue);
    void begin_shadow_tail(std::uint32_t queue);
    void begin_shadow_head(std::uint32_t queue);
    Result configure_doorbell_buffer(const Command& command);

    // ---- Commands on their way ----

    void work();
    bool give_turns(unsigned& left);
    bool give_each_queue_a_turn(unsigned& left);
    bool give_turns_by_priority(unsigned& left);
    unsigned burst() const;
    unsigned weight(Priority priority) const;
    unsigned begin_some(std::uint32_t queue, unsigned most);
    unsigned begin_of_class(Priority priority, unsigned most);
    bool begin_next(std::uint32_t queue);
    void coalescing_ended();
    void begin(Request& request);
    void run(Request& request);
    void start_waiting();
    void start_timer_of_waiting();
    std::vector<std::size_t> in_order(Requests::Stage stage) const;
    void answer(Request& request, Status status, std::uint32_t result = 0);
    void post(std::uint16_t queue, std::uint16_t command_id, Status status, std::uint32_t result);
    void release(Request& request);
    void send_events();
    Status log_error(std::uint16_t queue, const Command& command, Status status);
    void repeat_interrupted();

    // ---- Admin commands ----

    Result run_admin(Request& request, const Command& command);
    Result identify(const Command& command);
    Result get_log_page(const Command& command);
    std::vector<std::byte> log_page(LogPage page) const;
    Result abort(const Command& command);
    Result request_event(Request& request, const Command& command);
    Result create_completion_queue(const Command& command);
    Result create_submission_queue(const Command& command);
    Result delete_completion_queue(const Command& command);
    Result delete_submission_queue(Request& request, const Command& command);
    void delete_if_idle(std::uint32_t queue);
    bool is_valid_queue_id(std::uint32_t queue) const {
        return queue >= 1 && queue <= queue_pairs_;
    }
    Result get_features(const Command& command);
    Result set_features(Request& request, const Command& command);
    Answer feature_value(const Features& features, const Command& command) const;
    Status check_feature_namespace(const Command& command) const;
    void check_temperature();
    std::uint8_t critical_warning() const;
    Status send_data(const Command& command, std::span<const std::byte> data, std::uint64_t length);

    // ---- I/O commands ----

    Result run_io(Request& request, const Command& command);
    Status prepare(Request& request, const Command& command);
    Status prepare_transfer(Request& request, const Command& command);
    Status prepare_ranges(Request& request, const Command& command);
    Status map_data(const Command& command, std::uint64_t length, Direction direction,
                    GuestBuffer& buffer) const;
    Namespace* find_namespace(std::uint32_t id) const;
    void start_task(Request& request);
    void advance(Request& request, BlockResult result);
    bool has_step(const Request& request) const;
    BlockResult submit_step(Request& request);
    BlockResult submit(Request& request, const Namespace& space, BlockOperation operation,
                       std::uint64_t first, std::uint64_t count,
                       std::span<const backplane_block_segment> segments = {},
                       std::uint32_t flags = 0);
    const Namespace* next_to_flush(const Request& request) const;
    void finish_task(Request& request, BlockResult result);
    Status task_status(const Request& request, BlockResult result) const;
    Status compare(Request& request) const;
    void arrived(Request& request, BlockResult result);

    // ---- Properties and connections ----

    std::uint32_t queue_pairs_ = 8;
    BlockSize block_size_ = BlockSize::Bytes512;
    std::string serial_, model_ = "BACKPLANE NVME", firmware_ = "1.0";
    Duration access_time_{0};
    std::vector<BlockDevice> images_;
    PciFunction pci_;
    PciExpress express_;

    std::vector<std::unique_ptr<Namespace>> namespaces_;

    // ---- State ----

    std::uint32_t cc_ = 0, csts_ = 0, aqa_ = 0;
    std::uint64_t asq_ = 0, acq_ = 0;
    bool is_resetting_ = false;  // until images are done with the memory
    Queues queues_;
    std::uint32_t next_queue_ = 0;  // whose turn it is
    Priority next_class_ = Priority::High;
    std::array<std::uint32_t, 4> next_of_class_{};
    Features features_;
    Events events_;
    ErrorLog errors_;
    Health health_;
    Interrupts interrupts_;
    std::array<bool, most_namespaces> namespaces_changed_{};
    bool shadow_enabled_ = false;
    std::uint64_t shadow_doorbells_ = 0, event_indices_ = 0;
    Requests requests_;
    Timer work_timer_, access_timer_;

    // Follows from the requests.
    std::array<Request*, most_queues> deletes_{};  // the command that deletes a submission queue
    std::size_t abandoned_ = 0;
    bool is_working_ = false;
    bool is_on_the_bus_ = false;
    std::uint64_t commands_ = 0, failures_ = 0;
};

}  // namespace backplane::storage::nvme
