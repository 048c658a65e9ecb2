// The admin commands of the NVMe controller.
#include "nvme_bench.h"
#include "nvme_identify.h"

#include <string>

namespace backplane::storage::nvme {
namespace {

std::string text(const Data& bytes, std::size_t offset, std::size_t length) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(offset),
            bytes.begin() + static_cast<std::ptrdiff_t>(offset + length)};
}

template <class Value>
Value at(const Data& bytes, std::size_t offset) {
    return NvmeBench::peek<Value>(bytes, offset);
}

TEST(NvmeAdminTest, IdentifiesTheController) {
    NvmeBench bench{{{"serial", std::string{"S123"}}, {"model", std::string{"A disk"}}}, 3};
    const Data data = bench.enable().identify(1);
    EXPECT_EQ(at<std::uint16_t>(data, 0), 0x1b36);
    EXPECT_EQ(text(data, 4, 20), "S123                ");
    EXPECT_EQ(text(data, 24, 40), "A disk" + std::string(34, ' '));
    EXPECT_EQ(text(data, 64, 8), "1.0     ");
    EXPECT_EQ(data[77], 7) << "512 KiB";
    EXPECT_EQ(at<std::uint32_t>(data, 80), 0x10400u);
    EXPECT_EQ(data[111], 1) << "an I/O controller";
    EXPECT_EQ(data[512], 0x66);
    EXPECT_EQ(data[513], 0x44);
    EXPECT_EQ(at<std::uint32_t>(data, 516), 3u) << "namespaces";
    EXPECT_EQ(data[525] & 1, 1) << "volatile write cache";
    EXPECT_EQ(text(data, 768, 32), "nqn.2014-08.org.nvmexpress:uuid:");
    EXPECT_EQ(data[768 + 32 + 36], 0);
}

TEST(NvmeAdminTest, IdentifiesNamespaces) {
    NvmeBench bench{{}, 3};
    bench.image[1]->change_medium(std::nullopt);
    bench.image[2]->is_read_only = true;
    bench.image[2]->resize(1 << 20);
    bench.enable();
    Data data = bench.identify(0, 1);
    EXPECT_EQ(at<std::uint64_t>(data, 0), 8192u);
    EXPECT_EQ(at<std::uint64_t>(data, 8), 8192u);
    EXPECT_EQ(data[99], 0);
    EXPECT_EQ(at<std::uint32_t>(data, 128), 9u << 16);
    EXPECT_EQ(bench.identify(0, 2), Data(4096)) << "inactive";
    data = bench.identify(0, 3);
    EXPECT_EQ(at<std::uint64_t>(data, 0), 2048u);
    EXPECT_EQ(data[99], 1) << "write protected";
    for (const std::uint32_t id : {0u, 4u, all_namespaces})
        EXPECT_EQ(bench.call(admin(AdminOpcode::Identify, id, 0, 0, NvmeBench::data)).status,
                  Status::InvalidNamespace);

    data = bench.identify(2, 0);
    EXPECT_EQ(at<std::uint32_t>(data, 0), 1u);
    EXPECT_EQ(at<std::uint32_t>(data, 4), 3u);
    EXPECT_EQ(at<std::uint32_t>(data, 8), 0u);
    EXPECT_EQ(at<std::uint32_t>(bench.identify(2, 1), 0), 3u);
    EXPECT_EQ(bench.call(admin(AdminOpcode::Identify, all_namespaces, 2)).status,
              Status::InvalidNamespace);

    data = bench.identify(3, 1);
    EXPECT_EQ(data[0], 2) << "NGUID";
    EXPECT_EQ(data[1], 16);
    EXPECT_EQ(data[20], 3) << "UUID";
    EXPECT_EQ(data[40], 0) << "no more";
    EXPECT_NE(data, bench.identify(3, 3));
    EXPECT_EQ(bench.call(admin(AdminOpcode::Identify, 2, 3)).status, Status::InvalidField);
    EXPECT_EQ(bench.call(admin(AdminOpcode::Identify, 1, 0x10)).status, Status::InvalidField);
}

TEST(NvmeAdminTest, HasBlocksOf4096BytesWhenAskedFor) {
    ReadyBench bench{{{"block-size", std::string{"4096"}}}};
    const Data data = bench.identify(0, 1);
    EXPECT_EQ(at<std::uint64_t>(data, 0), 1024u);
    EXPECT_EQ(at<std::uint32_t>(data, 128), 12u << 16);
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 5, 1, NvmeBench::data)).status, Status::Success);
    EXPECT_EQ(slice(bench.memory(), NvmeBench::data, 4096), slice(bench.bytes(), 5 * 4096, 4096));
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 1024, 1, NvmeBench::data)).status,
              Status::LbaOutOfRange);
}

TEST(NvmeAdminTest, RefusesQueuesThatCannotBe) {
    NvmeBench bench{{{"queues", 4}}};
    bench.enable();
    const auto create_cq = [&](std::uint32_t id, std::uint32_t size, std::uint32_t vector = 0,
                               std::uint32_t flags = 3, std::uint64_t address = 0x8000) {
        return bench
            .call(admin(AdminOpcode::CreateCompletionQueue, 0, size << 16 | id,
                        vector << 16 | flags, address))
            .status;
    };
    const auto create_sq = [&](std::uint32_t id, std::uint32_t size, std::uint32_t cq = 1,
                               std::uint32_t flags = 1, std::uint64_t address = 0xa000) {
        return bench
            .call(admin(AdminOpcode::CreateSubmissionQueue, 0, size << 16 | id, cq << 16 | flags,
                        address))
            .status;
    };
    const auto remove = [&](AdminOpcode opcode, std::uint32_t id) {
        return bench.call(admin(opcode, 0, id)).status;
    };
    EXPECT_EQ(create_cq(0, 15), Status::InvalidQueueIdentifier);
    EXPECT_EQ(create_cq(5, 15), Status::InvalidQueueIdentifier);
    EXPECT_EQ(create_cq(1, 0), Status::InvalidQueueSize);
    EXPECT_EQ(create_cq(1, 2048), Status::InvalidQueueSize);
    EXPECT_EQ(create_cq(1, 15, 64), Status::InvalidInterruptVector);
    EXPECT_EQ(create_cq(1, 15, 0, 2), Status::InvalidField);
    EXPECT_EQ(create_cq(1, 15, 0, 3, 0x8010), Status::PrpOffsetInvalid);
    EXPECT_EQ(create_sq(1, 15), Status::CompletionQueueInvalid);
    EXPECT_EQ(create_sq(1, 15, 0), Status::InvalidQueueIdentifier);
    EXPECT_EQ(create_cq(1, 15), Status::Success);
    EXPECT_EQ(create_cq(1, 15), Status::InvalidQueueIdentifier) << "it is there";
    EXPECT_EQ(create_sq(0, 15), Status::InvalidQueueIdentifier);
    EXPECT_EQ(create_sq(1, 2048), Status::InvalidQueueSize);
    EXPECT_EQ(create_sq(1, 15, 1, 0), Status::InvalidField);
    EXPECT_EQ(create_sq(1, 15, 1, 1, 0xa004), Status::PrpOffsetInvalid);
    EXPECT_EQ(create_sq(2, 15), Status::Success);
    EXPECT_EQ(create_sq(2, 15), Status::InvalidQueueIdentifier);
    EXPECT_EQ(remove(AdminOpcode::DeleteCompletionQueue, 1), Status::InvalidQueueDeletion);
    for (const std::uint32_t id : {0u, 1u, 5u, 0xffffu})
        EXPECT_EQ(remove(AdminOpcode::DeleteSubmissionQueue, id), Status::InvalidQueueIdentifier);
    EXPECT_EQ(remove(AdminOpcode::DeleteSubmissionQueue, 2), Status::Success);
    for (const std::uint32_t id : {0u, 2u, 0xffffu})
        EXPECT_EQ(remove(AdminOpcode::DeleteCompletionQueue, id), Status::InvalidQueueIdentifier);
    EXPECT_EQ(remove(AdminOpcode::DeleteCompletionQueue, 1), Status::Success);
    bench.write(reg::CC, 0);
    bench.enable(16, 1);
    EXPECT_EQ(create_cq(1, 15), Status::InvalidQueueSize) << "no size of entries in CC";
}

TEST(NvmeAdminTest, DeletesAQueueWhenItsCommandsAreDone) {
    ReadyBench bench;
    bench.image[0]->holds = true;
    bench.submit(io(IoOpcode::Read, 0, 1, NvmeBench::data));
    bench.submit(io(IoOpcode::Write, 8, 1, NvmeBench::data));
    const std::uint16_t id = bench.submit(admin(AdminOpcode::DeleteSubmissionQueue, 0, 1), 0);
    EXPECT_TRUE(bench.reap(0).empty());
    bench.submit(io(IoOpcode::Flush));
    EXPECT_EQ(bench.image[0]->held(), 2u) << "nothing is fetched any more";
    EXPECT_EQ(bench.call(admin(AdminOpcode::DeleteSubmissionQueue, 0, 1)).status,
              Status::InvalidQueueIdentifier);
    EXPECT_EQ(bench.call(admin(AdminOpcode::DeleteCompletionQueue, 0, 1)).status,
              Status::InvalidQueueDeletion);
    bench.image[0]->finish_one();
    EXPECT_TRUE(bench.reap(0).empty());
    bench.image[0]->finish_one();
    const auto answers = bench.reap(0);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].id, id);
    EXPECT_EQ(bench.reap().size(), 2u);
    EXPECT_EQ(bench.call(admin(AdminOpcode::DeleteCompletionQueue, 0, 1)).status, Status::Success);
}

TEST(NvmeAdminTest, AbortsWhatHasNotBegun) {
    ReadyBench bench{{{"access-time", std::chrono::microseconds{100}}}};
    const std::uint16_t first = bench.submit(io(IoOpcode::Read, 0, 1, NvmeBench::data));
    const std::uint16_t second = bench.submit(io(IoOpcode::Read, 0, 1, NvmeBench::data));
    const auto abort = [&](std::uint32_t id, std::uint32_t queue) {
        return bench.call(admin(AdminOpcode::Abort, 0, id << 16 | queue)).result;
    };
    EXPECT_EQ(abort(second, 1), 0u);
    EXPECT_EQ(abort(second, 1), 1u) << "no longer there";
    EXPECT_EQ(abort(first, 0), 1u);
    EXPECT_EQ(bench.call(admin(AdminOpcode::Abort, 0, 1u << 16 | 2)).status, Status::InvalidField);
    bench.clock.advance(std::chrono::microseconds{200});
    const auto answers = bench.reap();
    ASSERT_EQ(answers.size(), 2u);
    EXPECT_EQ(answers[0].id, second);
    EXPECT_EQ(answers[0].status, Status::AbortRequested);
    EXPECT_EQ(answers[1].id, first);
    EXPECT_EQ(answers[1].status, Status::Success);

    const std::uint16_t event = bench.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
    bench.submit(admin(AdminOpcode::Abort, 0, std::uint32_t{event} << 16), 0);
    const auto both = bench.reap(0);
    ASSERT_EQ(both.size(), 2u);
    EXPECT_EQ(both[0].id, event);
    EXPECT_EQ(both[0].status, Status::AbortRequested);
    EXPECT_EQ(both[1].result, 0u);
}

TEST(NvmeAdminTest, DeletingAQueueAbortsWhatHasNotBegun) {
    ReadyBench bench{{{"access-time", std::chrono::microseconds{100}}}};
    bench.submit(io(IoOpcode::Write, 0, 1, NvmeBench::data));
    EXPECT_EQ(bench.call(admin(AdminOpcode::DeleteSubmissionQueue, 0, 1)).status, Status::Success);
    const auto answers = bench.reap();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].status, Status::AbortedBySqDeletion);
    bench.clock.advance(std::chrono::milliseconds{1});
    EXPECT_TRUE(bench.image[0]->requests.empty());
}

TEST(NvmeAdminTest, TakesFourEventRequests) {
    NvmeBench bench;
    bench.enable();
    for (int count = 0; count < 4; ++count)
        bench.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
    EXPECT_TRUE(bench.reap(0).empty());
    EXPECT_EQ(bench.call(admin(AdminOpcode::AsynchronousEventRequest)).status,
              Status::AsynchronousEventRequestLimitExceeded);
}

TEST(NvmeAdminTest, TellsOfNamespacesThatChange) {
    NvmeBench bench{{}, 2};
    bench.enable();
    bench.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
    bench.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
    bench.image[1]->resize(1 << 20);
    EXPECT_TRUE(bench.reap(0).empty()) << "nobody wants to know";
    (void)bench.log_page(LogPage::ChangedNamespaces, 4096);
    EXPECT_EQ(bench.set_feature(Feature::AsynchronousEventConfiguration, 0x100).status,
              Status::Success);
    bench.image[1]->resize(2 << 20);
    bench.image[0]->resize(2 << 20);
    auto answers = bench.reap(0);
    ASSERT_EQ(answers.size(), 1u) << "the second waits until the log was read";
    EXPECT_EQ(answers[0].result, 0x04'00'02u);
    EXPECT_EQ(at<std::uint64_t>(bench.identify(0, 2), 0), 4096u);
    Data log = bench.log_page(LogPage::ChangedNamespaces, 4096, true);
    EXPECT_EQ(at<std::uint32_t>(log, 0), 1u);
    EXPECT_EQ(at<std::uint32_t>(log, 4), 2u);
    bench.image[0]->resize(1 << 20);
    EXPECT_TRUE(bench.reap(0).empty());
    log = bench.log_page(LogPage::ChangedNamespaces, 4096);
    EXPECT_EQ(at<std::uint32_t>(log, 0), 1u);
    EXPECT_EQ(bench.log_page(LogPage::ChangedNamespaces, 4096), Data(4096));
    bench.image[1]->change_medium(std::nullopt);
    EXPECT_EQ(bench.reap(0).size(), 1u);
    EXPECT_EQ(bench.identify(0, 2), Data(4096));
}

TEST(NvmeAdminTest, TellsOfTemperaturesBeyondThresholds) {
    NvmeBench bench;
    bench.enable();
    bench.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
    (void)bench.set_feature(Feature::AsynchronousEventConfiguration, 2);
    const Data before = bench.log_page(LogPage::Health, 512);
    EXPECT_EQ(before[0], 0);
    EXPECT_EQ(at<std::uint16_t>(before, 1), 311);
    bench.submit(admin(AdminOpcode::SetFeatures, 0,
                       static_cast<std::uint32_t>(Feature::TemperatureThreshold), 300),
                 0);
    const auto answers = bench.reap(0);
    ASSERT_EQ(answers.size(), 2u);
    EXPECT_EQ(answers[1].result, 0x02'01'01u);
    EXPECT_EQ(bench.log_page(LogPage::Health, 512)[0], 2);
    EXPECT_EQ(bench.get_feature(Feature::TemperatureThreshold).result, 300u);
    EXPECT_EQ(bench.get_feature(Feature::TemperatureThreshold, 1 << 20).result, 0u);
    EXPECT_EQ(bench.get_feature(Feature::TemperatureThreshold, 1 << 16).status,
              Status::InvalidField);
}

TEST(NvmeAdminTest, KeepsALogOfErrors) {
    ReadyBench bench;
    for (std::uint32_t count = 0; count < 20; ++count)
        EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 8000 + count, 256, NvmeBench::data)).status,
                  Status::LbaOutOfRange);
    const std::uint16_t last = bench.last_id;
    const Data log = bench.log_page(LogPage::ErrorInformation, 17 * 64);
    for (std::size_t index = 0; index < 16; ++index) {
        EXPECT_EQ(at<std::uint64_t>(log, index * 64), 20 - index);
        EXPECT_EQ(at<std::uint16_t>(log, index * 64 + 8), 1);
        EXPECT_EQ(at<std::uint16_t>(log, index * 64 + 10), last - index);
        EXPECT_EQ(at<std::uint16_t>(log, index * 64 + 12), (0x4000 | 0x80) << 1);
        EXPECT_EQ(at<std::uint64_t>(log, index * 64 + 16), 8019 - index);
        EXPECT_EQ(at<std::uint32_t>(log, index * 64 + 24), 1u);
    }
    EXPECT_EQ(at<std::uint64_t>(bench.log_page(LogPage::Health, 512), 176), 20u);
}

TEST(NvmeAdminTest, CountsWhatItDoes) {
    ReadyBench bench;
    (void)bench.call_io(io(IoOpcode::Read, 0, 8, NvmeBench::data));
    (void)bench.call_io(io(IoOpcode::Write, 0, 1, NvmeBench::data));
    bench.image[0]->bad = {512 * 50, 512 * 51};
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 50, 1, NvmeBench::data)).status,
              Status::UnrecoveredReadError);
    bench.clock.jump(std::chrono::hours{3});
    const Data log = bench.log_page(LogPage::Health, 512);
    EXPECT_EQ(at<std::uint64_t>(log, 32), 1u) << "thousands of 512 bytes, rounded up";
    EXPECT_EQ(at<std::uint64_t>(log, 48), 1u);
    EXPECT_EQ(at<std::uint64_t>(log, 64), 2u);
    EXPECT_EQ(at<std::uint64_t>(log, 80), 1u);
    EXPECT_EQ(at<std::uint64_t>(log, 128), 3u);
    EXPECT_EQ(at<std::uint64_t>(log, 160), 1u);
    EXPECT_EQ(bench.controller.statistic("bytes.read"), 4096u);
    EXPECT_EQ(bench.controller.statistic("bytes.written"), 512u);
}

TEST(NvmeAdminTest, HasTheOtherLogPagesAndPartsOfThem) {
    NvmeBench bench;
    bench.enable();
    const Data firmware = bench.log_page(LogPage::FirmwareSlot, 512);
    EXPECT_EQ(firmware[0], 1);
    EXPECT_EQ(text(firmware, 8, 8), "1.0     ");
    const Data commands = bench.log_page(LogPage::CommandsSupported, 4096);
    EXPECT_EQ(commands[6 * 4], 1) << "Identify";
    EXPECT_EQ(commands[1024 + 1 * 4], 3) << "Write changes content";
    EXPECT_EQ(commands[1024 + 4 * 4], 0) << "no Write Uncorrectable";
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        if (opcode == 0x0c) continue;  // has no answer
        const bool is_known =
            bench.call(admin(AdminOpcode{static_cast<std::uint8_t>(opcode)})).status !=
            Status::InvalidOpcode;
        EXPECT_EQ(is_known, (commands[opcode * 4] & 1) != 0) << opcode;
    }

    Command part = admin(AdminOpcode::GetLogPage, all_namespaces, 5 | 1 << 16, 0, NvmeBench::data);
    part.dwords[12] = 24;
    EXPECT_EQ(bench.call(part).status, Status::Success);
    EXPECT_EQ(slice(bench.memory(), NvmeBench::data, 8), slice(commands, 24, 8));
    part.dwords[12] = 26;
    EXPECT_EQ(bench.call(part).status, Status::InvalidField);
    part.dwords[12] = 5000;
    EXPECT_EQ(bench.call(part).status, Status::InvalidField);
    EXPECT_EQ(bench.call(admin(AdminOpcode::GetLogPage, 0, 0x70)).status, Status::InvalidLogPage);
    EXPECT_EQ(bench.call(admin(AdminOpcode::GetLogPage, 1, 2)).status, Status::InvalidField);
    EXPECT_EQ(bench.call(admin(AdminOpcode::GetLogPage, 0, 0xffff'0002, 0xffff)).status,
              Status::InvalidField)
        << "16 GiB";
}

TEST(NvmeAdminTest, HasItsFeatures) {
    NvmeBench bench{{{"queues", 5}}};
    bench.enable();
    EXPECT_EQ(bench.set_feature(Feature::NumberOfQueues, 0x00ff'00ff).result, 0x0004'0004u);
    EXPECT_EQ(bench.get_feature(Feature::NumberOfQueues).result, 0x0004'0004u);
    EXPECT_EQ(bench.set_feature(Feature::NumberOfQueues, 0xffff).status, Status::InvalidField);
    bench.add_queue();
    EXPECT_EQ(bench.set_feature(Feature::NumberOfQueues, 0).status, Status::CommandSequenceError);
    struct Change {
        Feature feature;
        std::uint32_t initial, written, read;
    };
    for (const Change& change : {Change{Feature::Arbitration, 6, 0x0102'0305, 0x0102'0305},
                                 Change{Feature::PowerManagement, 0, 0x20, 0x20},
                                 Change{Feature::VolatileWriteCache, 1, 0, 0},
                                 Change{Feature::InterruptCoalescing, 0, 0xff'0107, 0x0107},
                                 Change{Feature::WriteAtomicity, 0, 1, 1},
                                 Change{Feature::AsynchronousEventConfiguration, 0, ~0u, 0x11f}}) {
        const auto id = static_cast<int>(change.feature);
        EXPECT_EQ(bench.get_feature(change.feature).result, change.initial) << id;
        EXPECT_EQ(bench.set_feature(change.feature, change.written).status, Status::Success) << id;
        EXPECT_EQ(bench.get_feature(change.feature).result, change.read) << id;
        EXPECT_EQ(bench.get_feature(change.feature, 0, 1).result, change.initial) << id;
        EXPECT_EQ(bench.get_feature(change.feature, 0, 2).result, change.initial) << id;
        EXPECT_EQ(bench.get_feature(change.feature, 0, 4).status, Status::InvalidField) << id;
    }
    EXPECT_EQ(bench.get_feature(Feature::Arbitration, 0, 3).result, 4u) << "can be changed";
    EXPECT_EQ(bench.set_feature(Feature::PowerManagement, 1).status, Status::InvalidField);
    EXPECT_EQ(bench.set_feature(Feature::InterruptVectorConfiguration, 64).status,
              Status::InvalidField);
    EXPECT_EQ(bench.set_feature(Feature::ErrorRecovery, 5, 1).status, Status::Success);
    EXPECT_EQ(bench.call(admin(AdminOpcode::GetFeatures, 1, 5)).result, 5u);
    EXPECT_EQ(bench.call(admin(AdminOpcode::GetFeatures, 2, 5)).status, Status::InvalidNamespace);
    EXPECT_EQ(bench.set_feature(Feature::Arbitration, 5, 1).status,
              Status::FeatureNotNamespaceSpecific);
    EXPECT_EQ(bench.call(admin(AdminOpcode::SetFeatures, 0, 1u << 31 | 1)).status,
              Status::FeatureIdentifierNotSaveable);
    for (const std::uint32_t unknown : {0u, 3u, 0xcu, 0xffu})
        EXPECT_EQ(bench.call(admin(AdminOpcode::GetFeatures, 0, unknown)).status,
                  Status::InvalidField);
    bench.write(reg::CC, 0);
    bench.enable();
    EXPECT_EQ(bench.get_feature(Feature::Arbitration).result, 6u) << "as before";
}

TEST(NvmeAdminTest, TurningTheCacheOffFlushesIt) {
    NvmeBench bench{{}, 2};
    bench.enable();
    bench.add_queue();
    bench.image[1]->holds = true;
    const std::uint16_t id = bench.submit(
        admin(AdminOpcode::SetFeatures, 0, static_cast<std::uint32_t>(Feature::VolatileWriteCache)),
        0);
    EXPECT_TRUE(bench.reap(0).empty());
    bench.image[1]->finish_all();
    const auto answers = bench.reap(0);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].id, id);
    EXPECT_EQ(bench.image[0]->requests.back().operation, std::uint32_t{BACKPLANE_BLOCK_FLUSH});
    (void)bench.call_io(io(IoOpcode::Write, 0, 1, NvmeBench::data));
    EXPECT_EQ(bench.image[0]->requests.back().flags, BACKPLANE_BLOCK_FORCE_ACCESS);
}

TEST(NvmeAdminTest, AdminCommandsHaveNoSgls) {
    NvmeBench bench;
    bench.enable();
    for (const std::uint32_t flags : {1u << 14, 2u << 14, 1u << 8}) {
        Command command = admin(AdminOpcode::Identify, 0, 1, 0, NvmeBench::data);
        command.dwords[0] |= flags;
        EXPECT_EQ(bench.call(command).status, Status::InvalidField);
    }
}

}  // namespace
}  // namespace backplane::storage::nvme
