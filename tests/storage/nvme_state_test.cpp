// Snapshots of the NVMe controller, with commands in progress too.
#include "nvme_bench.h"

namespace backplane::storage::nvme {
namespace {

constexpr std::uint64_t data = NvmeBench::data;

// What `first` was, in a bench of its own.
void restore(NvmeBench& second, NvmeBench& first) {
    second.memory() = first.memory();
    second.queues = first.queues;
    second.last_id = first.last_id;
    for (std::size_t index = 0; index < first.image.size(); ++index)
        second.bytes(index) = first.bytes(index);
    second.clock.set(first.clock.now());
    second.controller.restore(first.controller.save());
}

TEST(NvmeStateTest, SurvivesASnapshot) {
    ReadyBench first{{{"access-time", std::chrono::microseconds{100}}}};
    first.submit(io(IoOpcode::Read, 0, 8, data));
    first.submit(admin(AdminOpcode::AsynchronousEventRequest), 0);
    (void)first.set_feature(Feature::InterruptCoalescing, 0x0102);
    first.submit(io(IoOpcode::Read, 9000, 1, data));
    first.clock.advance(std::chrono::microseconds{50});
    first.submit(io(IoOpcode::Write, 100, 8, data));
    NvmeBench second{{{"access-time", std::chrono::microseconds{100}}}};
    EXPECT_EQ(
        testing::round_trip(first.controller, second.controller, std::chrono::microseconds{10}),
        "");
    NvmeBench third{{{"access-time", std::chrono::microseconds{100}}}};
    restore(third, first);
    first.clock.advance(std::chrono::milliseconds{1});
    third.clock.advance(std::chrono::milliseconds{1});
    EXPECT_EQ(testing::state_difference(first.controller.save(), third.controller.save()), "");
    EXPECT_EQ(first.memory(), third.memory());
    EXPECT_EQ(first.bytes(), third.bytes());
    EXPECT_EQ(third.reap().size(), 3u);
}

TEST(NvmeStateTest, RequestsInFlightAreMadeAgainAfterASnapshot) {
    ReadyBench first, second;
    first.image[0]->holds = true;
    const std::uint16_t read = first.submit(io(IoOpcode::Read, 8, 8, data));
    first.submit(io(IoOpcode::WriteZeroes, 100, 8));
    first.submit(admin(AdminOpcode::DeleteSubmissionQueue, 0, 1), 0);
    restore(second, first);
    second.controller.host().run_posted();
    const auto answers = second.reap();
    ASSERT_EQ(answers.size(), 2u);
    EXPECT_EQ(answers[0].id, read);
    EXPECT_EQ(second.reap(0).size(), 1u) << "the queue is deleted after them";
    EXPECT_EQ(slice(second.memory(), data, 4096), slice(second.bytes(), 8 * 512, 4096));
    EXPECT_EQ(slice(second.bytes(), 100 * 512, 4096), Data(4096));
    first.image[0]->finish_all();
    first.reap(), first.reap(0);
    EXPECT_EQ(testing::state_difference(first.controller.save(), second.controller.save()), "");
    EXPECT_EQ(first.memory(), second.memory());
}

TEST(NvmeStateTest, ASnapshotMayBeLoadedOverRequestsInFlight) {
    ReadyBench bench;
    const auto saved = bench.controller.save();
    bench.image[0]->holds = true;
    bench.submit(io(IoOpcode::Read, 8, 8, data));
    bench.controller.restore(saved);
    EXPECT_EQ(bench.image[0]->held(), 0u);
    EXPECT_EQ(testing::state_difference(bench.controller.save(), saved), "");
    EXPECT_TRUE(bench.reap().empty());
}

TEST(NvmeStateTest, AResetThatWaitedEndsAfterASnapshot) {
    ReadyBench first, second;
    first.image[0]->holds = true;
    first.submit(io(IoOpcode::Read, 8, 8, data));
    first.write(reg::CC, 0x0046'0000);
    restore(second, first);
    EXPECT_EQ(second.read(reg::CSTS), 1u);
    second.controller.host().run_posted();
    EXPECT_EQ(second.read(reg::CSTS), 0u);
}

TEST(NvmeStateTest, AShutdownGoesOnAfterASnapshot) {
    ReadyBench first, second;
    first.image[0]->holds = true;
    first.write(reg::CC, NvmeBench::cc_enabled | 1 << 14);
    restore(second, first);
    second.controller.host().run_posted();
    EXPECT_EQ(second.read(reg::CSTS), 1u | 2u << 2);
    EXPECT_EQ(second.image[0]->requests.size(), 1u);
}

}  // namespace
}  // namespace backplane::storage::nvme
