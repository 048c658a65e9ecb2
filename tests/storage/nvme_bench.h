// An NVMe controller with images in memory, and the host's side of its queues: what a driver does,
// entry by entry.
#pragma once

#include "nvme_command.h"
#include "nvme_controller.h"
#include "nvme_registers.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace backplane::storage::nvme {

using testing::DeviceBench;
using testing::FakeBlock;
using testing::FakeClock;
using testing::FakePciSlot;
using testing::Setting;

using Data = std::vector<std::uint8_t>;

// Bytes by which each place of an image is known.
inline void fill_with_pattern(Data& bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at)
        bytes[at] = static_cast<std::uint8_t>(at * 7 + at / 512 * 13 + at / 65536);
}

inline Data slice(const Data& bytes, std::size_t offset, std::size_t length) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(offset),
            bytes.begin() + static_cast<std::ptrdiff_t>(offset + length)};
}

inline Command admin(AdminOpcode opcode, std::uint32_t namespace_id = 0, std::uint32_t cdw10 = 0,
                     std::uint32_t cdw11 = 0, std::uint64_t prp1 = 0) {
    Command command;
    command.dwords[0] = static_cast<std::uint32_t>(opcode);
    command.dwords[1] = namespace_id;
    command.dwords[6] = static_cast<std::uint32_t>(prp1);
    command.dwords[7] = static_cast<std::uint32_t>(prp1 >> 32);
    command.dwords[10] = cdw10;
    command.dwords[11] = cdw11;
    return command;
}

// `prp2` is of data that has more than one page.
inline Command io(IoOpcode opcode, std::uint64_t slba = 0, std::uint32_t blocks = 1,
                  std::uint64_t prp1 = 0, std::uint64_t prp2 = 0, std::uint32_t namespace_id = 1) {
    Command command = admin(static_cast<AdminOpcode>(opcode), namespace_id,
                            static_cast<std::uint32_t>(slba),
                            static_cast<std::uint32_t>(slba >> 32), prp1);
    command.dwords[8] = static_cast<std::uint32_t>(prp2);
    command.dwords[9] = static_cast<std::uint32_t>(prp2 >> 32);
    command.dwords[12] = blocks - 1;
    return command;
}

// What the driver sees of an answer.
struct Answered {
    std::uint16_t id = 0xffff;
    Status status = Status::Success;  // without the `more` bit
    std::uint32_t result = 0;
    std::uint16_t head = 0, queue = 0;
};

struct DriverQueue {
    std::uint64_t submission = 0, completion = 0;
    std::uint32_t entries = 0, completion_entries = 0;
    std::uint32_t tail = 0, head = 0;
    std::uint16_t completes_to = 0;
    bool phase = true;
};

class NvmeBench {
public:
    static constexpr std::uint64_t bar = 0xc000'0000, data = 0x40000;

    explicit NvmeBench(std::vector<Setting> settings = {}, std::size_t images = 1,
                       std::size_t image_size = 4 << 20)
        : controller{Declaration<Controller>::device_type(), std::move(settings), &clock} {
        for (std::size_t index = 0; index < images; ++index) {
            image.push_back(std::make_unique<FakeBlock>(image_size));
            fill_with_pattern(image.back()->bytes);
            controller.connect("image", *image.back());
        }
        controller.connect("slot", slot);
        if (!controller.power_on()) throw std::runtime_error{controller.failure()};
        slot.write_config(0x10, 4, bar);
        slot.enable();
    }

    Data& bytes(std::size_t index = 0) { return image[index]->bytes; }
    Data& memory() { return slot.memory.memory; }

    std::uint32_t read(unsigned offset) {
        return static_cast<std::uint32_t>(slot.memory.read(bar + offset));
    }
    void write(unsigned offset, std::uint32_t value) { slot.memory.write(bar + offset, 4, value); }
    std::uint64_t read64(unsigned offset) {
        return read(offset) | std::uint64_t{read(offset + 4)} << 32;
    }

    // ---- Queues ----

    static constexpr std::uint32_t cc_enabled = 0x0046'0001;

    NvmeBench& enable(std::uint32_t entries = 16, std::uint32_t cc = cc_enabled) {
        queues.clear();
        queues[0] = {.submission = 0x1000,
                     .completion = 0x2000,
                     .entries = entries,
                     .completion_entries = entries};
        write(reg::AQA, (entries - 1) << 16 | (entries - 1));
        write(reg::ASQ, 0x1000);
        write(reg::ACQ, 0x2000);
        clear_completions(0);
        write(reg::CC, cc);
        return *this;
    }

    void clear_completions(std::uint16_t queue) {
        const DriverQueue& q = queues.at(queue);
        std::fill_n(memory().begin() + static_cast<std::ptrdiff_t>(q.completion),
                    q.completion_entries * Completion::size, std::uint8_t{0});
    }

    // A pair of I/O queues. Vector: its interrupt.
    NvmeBench& add_queue(std::uint16_t id = 1, std::uint32_t entries = 16,
                         std::uint32_t vector = 0) {
        queues[id] = {.submission = 0x4000u + id * 0x4000u,
                      .completion = 0x6000u + id * 0x4000u,
                      .entries = entries,
                      .completion_entries = entries,
                      .completes_to = id};
        clear_completions(id);
        const std::uint32_t size_and_id = (entries - 1) << 16 | id;
        Answered answered = call(admin(AdminOpcode::CreateCompletionQueue, 0, size_and_id,
                                       vector << 16 | 3, queues[id].completion));
        EXPECT_EQ(answered.status, Status::Success);
        answered = call(admin(AdminOpcode::CreateSubmissionQueue, 0, size_and_id,
                              std::uint32_t{id} << 16 | 1, queues[id].submission));
        EXPECT_EQ(answered.status, Status::Success);
        return *this;
    }

    // Without telling the controller.
    std::uint16_t put(Command command, std::uint16_t queue = 1) {
        DriverQueue& q = queues.at(queue);
        const std::uint16_t id = ++last_id;
        command.dwords[0] |= static_cast<std::uint32_t>(id) << 16;
        std::memcpy(memory().data() + q.submission + q.tail * Command::size, command.dwords.data(),
                    Command::size);
        q.tail = (q.tail + 1) % q.entries;
        return id;
    }

    void ring(std::uint16_t queue = 1) {
        write(reg::doorbells + queue * 8u, queues.at(queue).tail);
    }

    std::uint16_t submit(const Command& command, std::uint16_t queue = 1) {
        const std::uint16_t id = put(command, queue);
        ring(queue);
        return id;
    }

    Completion entry(std::uint16_t queue, std::uint32_t index) {
        Completion entry{};
        std::memcpy(&entry, memory().data() + queues.at(queue).completion + index * sizeof entry,
                    sizeof entry);
        return entry;
    }

    // Everything that has been answered. `tell`: the controller hears that it was read.
    std::vector<Answered> reap(std::uint16_t queue = 1, bool tell = true) {
        DriverQueue& q = queues.at(queue);
        std::vector<Answered> answers;
        for (;;) {
            const Completion next = entry(queue, q.head);
            if (((next.status_and_phase & 1) != 0) != q.phase) break;
            const auto status = static_cast<std::uint16_t>(next.status_and_phase >> 1 & ~more);
            answers.push_back({next.command_id, Status{status}, next.result, next.submission_head,
                               next.submission_queue});
            if (++q.head == q.completion_entries) {
                q.head = 0;
                q.phase = !q.phase;
            }
        }
        if (tell && !answers.empty()) write(reg::doorbells + queue * 8u + 4, q.head);
        return answers;
    }

    // A command and its answer, which must be the only one.
    Answered call(const Command& command, std::uint16_t queue = 0) {
        const std::uint16_t id = submit(command, queue);
        const auto answers = reap(queue);
        EXPECT_EQ(answers.size(), 1u);
        if (answers.empty()) return {};
        EXPECT_EQ(answers.front().id, id);
        return answers.front();
    }
    Answered call_io(const Command& command) { return call(command, 1); }

    Data identify(unsigned structure, std::uint32_t namespace_id = 0) {
        const Answered answered = call(
            admin(AdminOpcode::Identify, namespace_id, structure, 0, data));
        EXPECT_EQ(answered.status, Status::Success);
        return slice(memory(), data, 4096);
    }

    Answered set_feature(Feature feature, std::uint32_t value, std::uint32_t namespace_id = 0) {
        return call(admin(AdminOpcode::SetFeatures, namespace_id,
                          static_cast<std::uint32_t>(feature), value));
    }
    Answered get_feature(Feature feature, std::uint32_t cdw11 = 0, std::uint32_t select = 0) {
        return call(admin(AdminOpcode::GetFeatures, 0,
                          static_cast<std::uint32_t>(feature) | select << 8, cdw11));
    }
    Data log_page(LogPage page, std::uint32_t bytes, bool retain = false) {
        const std::uint32_t dwords = bytes / 4 - 1;
        const Answered answered = call(admin(
            AdminOpcode::GetLogPage, all_namespaces,
            static_cast<std::uint32_t>(page) | (retain ? 1u << 15 : 0) | dwords << 16, 0, data));
        EXPECT_EQ(answered.status, Status::Success);
        return slice(memory(), data, bytes);
    }

    // ---- Interrupts ----

    unsigned capability(std::uint8_t id) const {
        unsigned at = slot.read_config(0x34, 1);
        while (at != 0 && slot.read_config(at, 1) != id)
            at = slot.read_config(at + 1, 1);
        return at;
    }
    void enable_msix() {
        for (std::uint32_t vector = 0; vector < 64; ++vector) {
            write(0x2000 + vector * 16, 0xfee0'0000);
            write(0x2008 + vector * 16, 0x100 + vector);
            write(0x200c + vector * 16, 0);
        }
        slot.write_config(capability(0x11) + 2, 2, 0x8000);
    }
    // Data of the messages since the last call.
    std::vector<std::uint32_t> messages() {
        std::vector<std::uint32_t> values;
        for (const auto& message : slot.messages)
            values.push_back(message.data);
        slot.messages.clear();
        return values;
    }

    template <class Value>
    void poke(std::uint64_t address, const Value& value) {
        std::memcpy(memory().data() + address, &value, sizeof value);
    }
    template <class Value>
    static Value peek(const Data& bytes, std::size_t offset) {
        Value value{};
        std::memcpy(&value, bytes.data() + offset, sizeof value);
        return value;
    }

    FakeClock clock;
    std::vector<std::unique_ptr<FakeBlock>> image;
    FakePciSlot slot;
    DeviceBench controller;
    std::map<std::uint16_t, DriverQueue> queues;
    std::uint16_t last_id = 0;
};

// Enabled, with a pair of I/O queues.
class ReadyBench : public NvmeBench {
public:
    explicit ReadyBench(std::vector<Setting> settings = {}, std::size_t images = 1)
        : NvmeBench{std::move(settings), images} {
        enable();
        add_queue();
    }
};

}  // namespace backplane::storage::nvme
