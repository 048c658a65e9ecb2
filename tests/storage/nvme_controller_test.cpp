// Registers, doorbells, interrupts, reset and shutdown of the NVMe controller.
#include "nvme_bench.h"

namespace backplane::storage::nvme {
namespace {

TEST(NvmeControllerTest, IsAnNvmeControllerInConfigurationSpace) {
    NvmeBench bench;
    EXPECT_EQ(bench.slot.read_config(0), 0x00101b36u);
    EXPECT_EQ(bench.slot.read_config(8) >> 8, 0x010802u);
    EXPECT_EQ(bench.slot.bar_size(0), 0x4000u);
    EXPECT_EQ(bench.slot.read_config(0x10) & 0xf, 4u) << "64 bits";
    for (const std::uint8_t id : {0x01, 0x05, 0x10, 0x11})
        EXPECT_NE(bench.capability(id), 0u) << int{id};
}

TEST(NvmeControllerTest, SaysWhatItCan) {
    NvmeBench bench;
    const std::uint64_t cap = bench.read64(reg::CAP);
    EXPECT_EQ(cap & 0xffff, 2047u);
    EXPECT_NE(cap & 1u << 16, 0u) << "queues are contiguous";
    EXPECT_EQ(cap >> 17 & 3, 1u) << "weighted round robin";
    EXPECT_EQ(cap >> 32 & 15, 0u) << "doorbells are 4 bytes apart";
    EXPECT_EQ(cap >> 37 & 0xff, 1u) << "NVM commands";
    EXPECT_EQ(cap >> 48 & 15, 0u);
    EXPECT_EQ(cap >> 52 & 15, 4u);
    EXPECT_EQ(bench.read(reg::VS), 0x10400u);
    EXPECT_EQ(bench.read(reg::CMBSZ), 0u);
    EXPECT_EQ(bench.slot.memory.read(NvmeBench::bar + 1, 1), 0x07u) << "bytes of registers";
    bench.controller.window("registers").write64(reg::ASQ, 0x1'2345'6fff);
    EXPECT_EQ(bench.read64(reg::ASQ), 0x1'2345'6000u);
}

TEST(NvmeControllerTest, RefusesMistakesOfTheMachineFile) {
    const auto failure = [](std::vector<Setting> settings, bool has_image) {
        FakeBlock image{1 << 20};
        FakePciSlot slot;
        DeviceBench bench{Declaration<Controller>::device_type(), std::move(settings)};
        if (has_image) bench.connect("image", image);
        bench.connect("slot", slot);
        EXPECT_FALSE(bench.power_on());
        return bench.failure();
    };
    EXPECT_EQ(failure({}, false), "image: there has to be one at least");
    EXPECT_EQ(failure({{"serial", std::string(21, 'x')}}, true),
              "serial: \"" + std::string(21, 'x') + "\" has more than 20 characters");
    FakeBlock large{1 << 20, 4096};
    FakePciSlot slot;
    DeviceBench bench{Declaration<Controller>::device_type(), {}};
    bench.connect("image", large).connect("slot", slot);
    EXPECT_FALSE(bench.power_on());
    EXPECT_EQ(bench.failure(), "block-size: image 1 can only be accessed in blocks of 4096 bytes");
}

TEST(NvmeControllerTest, IsReadyWhenEnabledAndNotWhenNot) {
    NvmeBench bench;
    EXPECT_EQ(bench.read(reg::CSTS), 0u);
    bench.enable();
    EXPECT_EQ(bench.read(reg::CSTS), 1u);
    bench.write(reg::CC, NvmeBench::cc_enabled | 0x0010'0000);
    EXPECT_EQ(bench.read(reg::CC), NvmeBench::cc_enabled) << "while it is enabled";
    bench.write(reg::CC, 0x0046'0000);
    EXPECT_EQ(bench.read(reg::CSTS), 0u);
    EXPECT_EQ(bench.read64(reg::ASQ), 0x1000u) << "survives";
}

TEST(NvmeControllerTest, ReportsWhatItCannotBeEnabledWith) {
    for (const std::uint32_t cc : {NvmeBench::cc_enabled | 5u << 7, NvmeBench::cc_enabled | 1u << 4,
                                   NvmeBench::cc_enabled | 2u << 11}) {
        NvmeBench bench;
        bench.enable(16, cc);
        EXPECT_EQ(bench.read(reg::CSTS), 2u) << cc;
        bench.write(reg::CC, 0);
        EXPECT_EQ(bench.read(reg::CSTS), 0u);
        bench.enable();
        EXPECT_EQ(bench.read(reg::CSTS), 1u);
    }
    NvmeBench bench;
    bench.write(reg::CC, NvmeBench::cc_enabled);
    EXPECT_EQ(bench.read(reg::CSTS), 2u) << "AQA is 0";
}

TEST(NvmeControllerTest, QueuesGoRoundWithTheirPhaseTags) {
    ReadyBench bench;
    for (int count = 0; count < 100; ++count) {
        const auto answered = bench.call_io(io(IoOpcode::Flush));
        EXPECT_EQ(answered.status, Status::Success);
        EXPECT_EQ(answered.queue, 1u);
        EXPECT_EQ(answered.head, bench.queues[1].tail);
    }
    EXPECT_EQ(bench.controller.statistic("commands"), 102u);
}

TEST(NvmeControllerTest, FetchesNothingThatItCouldNotAnswer) {
    ReadyBench bench;
    for (int count = 0; count < 15; ++count)
        bench.put(io(IoOpcode::Flush));
    bench.ring();
    EXPECT_EQ(bench.reap(1, false).size(), 15u);
    for (int count = 0; count < 3; ++count)
        bench.put(io(IoOpcode::Flush));
    bench.ring();
    EXPECT_TRUE(bench.reap(1, false).empty()) << "the queue is full of what nobody has taken";
    bench.write(reg::doorbells + 12, 2);
    EXPECT_EQ(bench.reap().size(), 2u);
    EXPECT_EQ(bench.reap().size(), 1u);
}

TEST(NvmeControllerTest, EachQueueHasItsTurn) {
    NvmeBench bench;
    bench.enable();
    bench.add_queue(1).add_queue(2);
    EXPECT_EQ(bench.set_feature(Feature::Arbitration, 0).status, Status::Success) << "one each";
    bench.slot.write_config(0x04, 2, 2);
    for (const std::uint16_t queue : {1, 2})
        for (int count = 0; count < 3; ++count)
            bench.put(io(IoOpcode::Read, queue * 100u, 1, NvmeBench::data), queue);
    bench.ring(1);
    bench.ring(2);
    EXPECT_TRUE(bench.image[0]->requests.empty()) << "it is not bus master";
    bench.slot.enable();
    std::vector<std::uint64_t> blocks;
    for (const auto& request : bench.image[0]->requests)
        blocks.push_back(request.offset / 512);
    EXPECT_EQ(blocks.size(), 6u);
    for (std::size_t index = 1; index < blocks.size(); ++index)
        EXPECT_NE(blocks[index], blocks[index - 1]);
}

// 4.13.2, with weights 3, 2 and 1.
TEST(NvmeControllerTest, QueuesHaveTheTurnsOfTheirPriorities) {
    NvmeBench bench;
    bench.enable(16, NvmeBench::cc_enabled | 1 << 11);
    for (const std::uint16_t queue : {1, 2, 3, 4, 5})
        bench.add_queue(queue);
    // Queue 1 is low, 2 medium, 3 and 4 are high, 5 is urgent.
    for (const auto& [queue, priority] :
         {std::pair{1u, 3u}, std::pair{2u, 2u}, std::pair{3u, 1u}, std::pair{4u, 1u}}) {
        (void)bench.call(admin(AdminOpcode::DeleteSubmissionQueue, 0, queue));
        (void)bench.call(admin(AdminOpcode::CreateSubmissionQueue, 0, 15u << 16 | queue,
                               queue << 16 | priority << 1 | 1,
                               bench.queues[static_cast<std::uint16_t>(queue)].submission));
    }
    (void)bench.set_feature(Feature::Arbitration, 0x0201'0000);
    bench.slot.write_config(0x04, 2, 2);
    for (const std::uint16_t queue : {1, 2, 3, 4, 5}) {
        for (int count = 0; count < 4; ++count)
            bench.put(io(IoOpcode::Read, queue, 1, NvmeBench::data), queue);
        bench.ring(queue);
    }
    bench.slot.enable();
    std::string order;
    for (const auto& request : bench.image[0]->requests)
        order += std::to_string(request.offset / 512);
    EXPECT_EQ(order, "5555"
                     "343"
                     "22"
                     "1"
                     "434"
                     "22"
                     "1"
                     "34"
                     "1"
                     "1");
}

TEST(NvmeControllerTest, ManyCommandsAreBegunAPartAtATime) {
    NvmeBench bench;
    bench.enable();
    bench.add_queue(1, 512);
    bench.queues[1].completion = 0x80000;
    bench.queues[1].submission = 0x90000;
    for (const auto opcode :
         {AdminOpcode::DeleteSubmissionQueue, AdminOpcode::DeleteCompletionQueue})
        EXPECT_EQ(bench.call(admin(opcode, 0, 1)).status, Status::Success);
    (void)bench.call(admin(AdminOpcode::CreateCompletionQueue, 0, 511 << 16 | 1, 3, 0x80000));
    (void)bench.call(admin(AdminOpcode::CreateSubmissionQueue, 0, 511 << 16 | 1, 0x10001, 0x90000));
    for (int count = 0; count < 511; ++count)
        bench.put(io(IoOpcode::Flush));
    bench.ring();
    EXPECT_EQ(bench.reap().size(), 256u);
    bench.clock.advance(Duration{1});
    EXPECT_EQ(bench.reap().size(), 255u);
}

TEST(NvmeControllerTest, TellsOfDoorbellsThatCannotBeRungSo) {
    NvmeBench bench;
    bench.enable();
    const auto expect_event = [&](unsigned offset, std::uint32_t value, std::uint32_t event) {
        const std::uint16_t id = bench.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
        EXPECT_TRUE(bench.reap(0).empty());
        bench.write(offset, value);
        const auto answers = bench.reap(0);
        ASSERT_EQ(answers.size(), 1u) << offset;
        EXPECT_EQ(answers[0].id, id);
        EXPECT_EQ(answers[0].result, event) << offset;
        const Data log = bench.log_page(LogPage::ErrorInformation, 64);
        EXPECT_EQ(NvmeBench::peek<std::uint16_t>(log, 8), 0xffffu) << "of no command";
    };
    expect_event(reg::doorbells + 8, 1, 0x01'00'00);  // no such queue
    expect_event(reg::doorbells + 12, 1, 0x01'00'00);
    expect_event(reg::doorbells + 0xf00, 1, 0x01'00'00);
    expect_event(reg::doorbells, 16, 0x01'01'00);  // beyond the queue
    expect_event(reg::doorbells + 4, bench.queues[0].head + 1, 0x01'01'00);
    EXPECT_EQ(bench.call(admin(AdminOpcode::Abort)).status, Status::Success) << "works on";
}

TEST(NvmeControllerTest, ATailDoesNotPassTheHead) {
    ReadyBench bench;
    const std::uint16_t id = bench.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
    bench.slot.write_config(0x04, 2, 2);
    for (int count = 0; count < 3; ++count)
        bench.submit(io(IoOpcode::Flush));
    bench.write(reg::doorbells + 8, 1);
    bench.write(reg::doorbells + 8, 0);
    bench.slot.enable();
    const auto answers = bench.reap(0);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].id, id);
    EXPECT_EQ(answers[0].result, 0x01'01'00u);
    EXPECT_EQ(bench.image[0]->requests.size(), 3u) << "what was rung for before";
}

TEST(NvmeControllerTest, DoesNotAnswerToItself) {
    NvmeBench bench;
    bench.enable();
    // A completion queue in the doorbells, and one in configuration.
    const std::uint32_t size_and_id = 15 << 16 | 1;
    (void)bench.call(
        admin(AdminOpcode::CreateCompletionQueue, 0, size_and_id, 3, NvmeBench::bar + 0x1000));
    bench.queues[1] = {.submission = 0x8000, .completion = 0xa000, .entries = 16};
    (void)bench.call(admin(AdminOpcode::CreateSubmissionQueue, 0, size_and_id, 0x10001, 0x8000));
    bench.submit(io(IoOpcode::Flush));
    bench.submit(io(IoOpcode::Read, 0, 8, NvmeBench::bar));
    EXPECT_EQ(bench.read(reg::CSTS), 1u);
    EXPECT_EQ(bench.read(reg::CC), NvmeBench::cc_enabled);
    EXPECT_EQ(bench.call(admin(AdminOpcode::Abort)).status, Status::Success);
}

TEST(NvmeControllerTest, InterruptsByThePinWhileAnswersAreUnread) {
    ReadyBench bench;
    EXPECT_FALSE(bench.slot.pins[0]);
    bench.submit(io(IoOpcode::Flush));
    EXPECT_TRUE(bench.slot.pins[0]);
    bench.write(reg::INTMS, 1);
    EXPECT_FALSE(bench.slot.pins[0]);
    EXPECT_EQ(bench.read(reg::INTMC), 1u);
    bench.write(reg::INTMC, 1);
    EXPECT_TRUE(bench.slot.pins[0]);
    EXPECT_EQ(bench.reap().size(), 1u);
    EXPECT_FALSE(bench.slot.pins[0]);
    EXPECT_TRUE(bench.messages().empty());
}

TEST(NvmeControllerTest, InterruptsByAMessageForEachQueue) {
    NvmeBench bench;
    bench.enable_msix();
    bench.enable();
    bench.add_queue(1, 16, 1).add_queue(2, 16, 63);
    EXPECT_EQ(bench.messages(), (std::vector<std::uint32_t>(4, 0x100)));
    (void)bench.call(io(IoOpcode::Flush), 1);
    (void)bench.call(io(IoOpcode::Flush), 2);
    EXPECT_EQ(bench.messages(), (std::vector<std::uint32_t>{0x101, 0x13f}));
    EXPECT_FALSE(bench.slot.pins[0]);
    bench.write(0x200c + 16, 1);
    (void)bench.call(io(IoOpcode::Flush), 1);
    EXPECT_TRUE(bench.messages().empty());
    EXPECT_EQ(bench.read(0x3000), 2u) << "pending";
    bench.write(0x200c + 16, 0);
    EXPECT_EQ(bench.messages(), std::vector<std::uint32_t>{0x101});
}

TEST(NvmeControllerTest, InterruptsByOneMessageWithMsi) {
    ReadyBench bench;
    const unsigned msi = bench.capability(0x05);
    bench.slot.write_config(msi + 4, 4, 0xfee0'0000);
    bench.slot.write_config(msi + 12, 2, 0x40);
    bench.slot.write_config(msi + 2, 2, 1);
    (void)bench.call_io(io(IoOpcode::Flush));
    EXPECT_EQ(bench.messages(), std::vector<std::uint32_t>{0x40});
    bench.write(reg::INTMS, 1);
    bench.submit(io(IoOpcode::Flush));
    EXPECT_TRUE(bench.messages().empty());
    bench.write(reg::INTMC, 1);
    EXPECT_EQ(bench.messages(), std::vector<std::uint32_t>{0x40});
}

TEST(NvmeControllerTest, HoldsInterruptsBackWhenAskedTo) {
    NvmeBench bench;
    bench.enable_msix();
    bench.enable();
    bench.add_queue(1, 16, 1);
    // Three at a time, or after 200 microseconds.
    EXPECT_EQ(bench.set_feature(Feature::InterruptCoalescing, 2 << 8 | 2).status, Status::Success);
    bench.messages();
    bench.submit(io(IoOpcode::Flush));
    bench.submit(io(IoOpcode::Flush));
    EXPECT_TRUE(bench.messages().empty());
    bench.submit(io(IoOpcode::Flush));
    EXPECT_EQ(bench.messages().size(), 1u);
    bench.submit(io(IoOpcode::Flush));
    bench.clock.advance(std::chrono::microseconds{199});
    EXPECT_TRUE(bench.messages().empty());
    bench.clock.advance(std::chrono::microseconds{2});
    EXPECT_EQ(bench.messages().size(), 1u);
    EXPECT_EQ(bench.reap().size(), 4u);
    EXPECT_EQ(bench.set_feature(Feature::InterruptVectorConfiguration, 1 << 16 | 1).status,
              Status::Success);
    bench.messages();
    bench.submit(io(IoOpcode::Flush));
    EXPECT_EQ(bench.messages().size(), 1u);
}

TEST(NvmeControllerTest, AResetWaitsForWhatImagesAreDoing) {
    ReadyBench bench;
    bench.image[0]->holds = true;
    bench.submit(io(IoOpcode::Read, 8, 8, NvmeBench::data));
    bench.submit(io(IoOpcode::Write, 100, 1, NvmeBench::data));
    bench.write(reg::CC, 0x0046'0000);
    EXPECT_EQ(bench.read(reg::CSTS), 1u) << "not until the memory is the host's again";
    bench.image[0]->finish_one();
    EXPECT_EQ(bench.read(reg::CSTS), 1u);
    bench.image[0]->finish_one();
    EXPECT_EQ(bench.read(reg::CSTS), 0u);
    bench.image[0]->holds = false;
    bench.enable();
    bench.add_queue();
    EXPECT_TRUE(bench.reap().empty()) << "nobody is told of the old ones";
    EXPECT_EQ(bench.call_io(io(IoOpcode::Flush)).status, Status::Success);
}

TEST(NvmeControllerTest, IsEnabledAfterAResetThatStillGoesOn) {
    ReadyBench bench;
    bench.image[0]->holds = true;
    bench.submit(io(IoOpcode::Read, 8, 8, NvmeBench::data));
    bench.write(reg::CC, 0x0046'0000);
    bench.write(reg::CC, NvmeBench::cc_enabled);
    bench.submit(admin(AdminOpcode::Abort), 0);
    bench.image[0]->finish_one();
    EXPECT_EQ(bench.read(reg::CSTS), 1u);
    bench.image[0]->holds = false;
    bench.queues[0].tail = bench.queues[0].head = 0;
    bench.queues[0].phase = true;
    bench.clear_completions(0);
    EXPECT_EQ(bench.call(admin(AdminOpcode::Abort)).status, Status::Success);
}

TEST(NvmeControllerTest, AResetOfTheMachineLeavesNothing) {
    for (const auto kind : {BACKPLANE_RESET_POWER_ON, BACKPLANE_RESET_MACHINE}) {
        ReadyBench bench;
        bench.image[0]->holds = true;
        bench.submit(io(IoOpcode::Read, 8, 8, NvmeBench::data));
        bench.controller.reset(kind);
        EXPECT_EQ(bench.image[0]->held(), 0u);
        NvmeBench fresh;
        fresh.controller.reset(kind);
        auto state = bench.controller.save();
        EXPECT_EQ(NvmeBench::peek<std::uint64_t>(state["unsafe-shutdowns"], 0),
                  kind == BACKPLANE_RESET_MACHINE ? 1u : 0u);
        auto expected = fresh.controller.save();
        expected["unsafe-shutdowns"] = state["unsafe-shutdowns"];
        for (const char* name : {"bytes-read", "reads"})
            expected[name] = state[name];
        EXPECT_EQ(testing::state_difference(state, expected), "");
    }
}

TEST(NvmeControllerTest, IsResetAloneAsAFunctionOfPciExpress) {
    ReadyBench bench;
    bench.image[0]->holds = true;
    bench.submit(io(IoOpcode::Read, 8, 8, NvmeBench::data));
    const unsigned express = bench.capability(0x10);
    EXPECT_NE(bench.slot.read_config(express + 4) & 1u << 28, 0u) << "it can";
    bench.slot.write_config(express + 8, 2, 0xa810);
    EXPECT_EQ(bench.slot.read_config(express + 8, 2), 0x2810u);
    EXPECT_EQ(bench.image[0]->held(), 0u);
    EXPECT_EQ(bench.slot.read_config(0x04, 2), 0u);
    EXPECT_EQ(bench.slot.read_config(0x10), 4u) << "no address";
    bench.slot.write_config(0x10, 4, NvmeBench::bar);
    bench.slot.enable();
    EXPECT_EQ(bench.read(reg::CSTS), 0u);
    EXPECT_EQ(bench.read(reg::AQA), 0u);
    bench.image[0]->holds = false;
    bench.enable();
    EXPECT_EQ(bench.call(admin(AdminOpcode::Abort)).status, Status::Success);
}

// Configuration space is in memory too.
TEST(NvmeControllerTest, DoesNotResetItself) {
    ReadyBench bench;
    static constexpr backplane_window window{
        sizeof(backplane_window),
        0,
        nullptr,
        [](void* object, std::uint64_t offset, std::uint32_t size) -> std::uint64_t {
            return static_cast<FakePciSlot*>(object)->read_config(
                static_cast<std::uint32_t>(offset), size);
        },
        [](void* object, std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
            static_cast<FakePciSlot*>(object)->write_config(
                static_cast<std::uint32_t>(offset), size, static_cast<std::uint32_t>(value));
        },
        0,
        0,
        4096,
        nullptr,
        nullptr};
    constexpr std::uint64_t configuration = 0xb000'0000;
    backplane_placement placement{};
    placement.accesses = BACKPLANE_PLACE_READS | BACKPLANE_PLACE_WRITES;
    placement.address = configuration;
    placement.size = 4096;
    placement.window = &window;
    placement.object = &bench.slot;
    placement.name = "configuration";
    bench.slot.memory.placements.push_back(placement);
    bench.bytes().assign(bench.bytes().size(), 0xff);
    const unsigned control = bench.capability(0x10) + 8;
    bench.submit(io(IoOpcode::Read, 0, 1, configuration + control - 4));
    EXPECT_EQ(bench.reap().size(), 1u);
    EXPECT_EQ(bench.read(reg::CSTS), 1u);
    EXPECT_EQ(bench.slot.read_config(control, 2), 0x7fffu);
}

TEST(NvmeControllerTest, AShutdownFlushesEveryNamespace) {
    NvmeBench bench{{}, 3};
    bench.enable();
    bench.image[1]->holds = true;
    bench.write(reg::CC, NvmeBench::cc_enabled | 1 << 14);
    EXPECT_EQ(bench.read(reg::CSTS), 1u | 1u << 2) << "occurring";
    EXPECT_TRUE(bench.image[2]->requests.empty());
    bench.image[1]->finish_one();
    EXPECT_EQ(bench.read(reg::CSTS), 1u | 2u << 2) << "complete";
    for (const auto& image : bench.image)
        EXPECT_EQ(image->requests,
                  (std::vector<FakeBlock::Request>{{BACKPLANE_BLOCK_FLUSH, 0, 0, 0}}));
    bench.write(reg::CC, 0);
    EXPECT_EQ(bench.read(reg::CSTS), 0u);
}

// The host writes doorbells into memory, and rings when it is wanted. (7.13)
TEST(NvmeControllerTest, ReadsDoorbellsFromMemory) {
    ReadyBench bench;
    constexpr std::uint32_t doorbells = 0x30000, indices = 0x31000;
    Command configure = admin(AdminOpcode::DoorbellBufferConfig, 0, 0, 0, doorbells);
    configure.dwords[8] = indices;
    std::fill_n(bench.memory().begin() + doorbells, 4096, std::uint8_t{0xee});
    EXPECT_EQ(bench.call(configure).status, Status::Success);
    EXPECT_EQ(NvmeBench::peek<std::uint32_t>(bench.memory(), doorbells + 8), 0u);
    EXPECT_EQ(NvmeBench::peek<std::uint32_t>(bench.memory(), doorbells + 12), 0u);
    const auto tail = [&] { bench.poke(doorbells + 8, bench.queues[1].tail); };
    bench.put(io(IoOpcode::Flush));
    tail();
    bench.ring();
    EXPECT_EQ(NvmeBench::peek<std::uint32_t>(bench.memory(), indices + 8), 1u)
        << "the next one is to be rung for";
    EXPECT_EQ(bench.reap(1, false).size(), 1u);
    // While one is in progress, others are found when it ends.
    bench.image[0]->holds = true;
    bench.submit(io(IoOpcode::Flush));
    tail();
    bench.put(io(IoOpcode::Flush));
    tail();
    EXPECT_EQ(bench.image[0]->held(), 0u) << "the value in memory counts";
    bench.ring();
    EXPECT_EQ(bench.image[0]->held(), 2u);
    bench.put(io(IoOpcode::Flush));
    tail();
    bench.image[0]->finish_one();
    EXPECT_EQ(bench.image[0]->held(), 2u);
    bench.image[0]->holds = false;
    bench.image[0]->finish_all();
    bench.poke(doorbells + 12, bench.queues[1].head);
    EXPECT_EQ(bench.reap(1, false).size(), 3u);
    bench.poke(doorbells + 8, 0xffffu);
    bench.write(reg::doorbells + 8, bench.queues[1].tail);
    EXPECT_TRUE(bench.reap(1, false).empty()) << "nonsense is not followed";
}

}  // namespace
}  // namespace backplane::storage::nvme
