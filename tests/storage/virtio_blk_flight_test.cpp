// Requests of a virtio disk that take their time: many at once, resets and snapshots meanwhile.
#include "virtio_blk_bench.h"

#include <chrono>

namespace backplane::storage {
namespace {

using namespace std::chrono_literals;
using namespace virtio_blk::request;
using virtio_blk::status::ioerr;
using virtio_blk::status::ok;

constexpr std::uint64_t data = VirtioBlkBench::data;
constexpr unsigned unanswered = 0xaa;

class FlightTest : public ::testing::TestWithParam<std::uint64_t> {
protected:
    std::uint64_t features() const { return VirtioBlkBench::all_features | GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Layouts, FlightTest,
                         ::testing::Values(0, virtio::feature::event_index,
                                           virtio::feature::ring_packed |
                                               virtio::feature::event_index),
                         [](const auto& info) {
                             return info.param == 0                              ? "Split"
                                    : info.param == virtio::feature::event_index ? "SplitWithEvents"
                                                                                 : "Packed";
                         });

TEST_P(FlightTest, ManyRequestsAreInFlight) {
    VirtioBlkBench bench;
    bench.begin(features());
    bench.image.holds = true;
    for (unsigned number = 0; number < 16; ++number)
        bench.add(in, number * 8, {{data + number * 512, 512, true}}, number);
    bench.driver->notify(0);
    EXPECT_EQ(bench.image.held(), 16u);
    EXPECT_EQ(bench.disk.statistic("in-flight"), 16u);
    EXPECT_EQ(bench.driver->interrupt_status(), 0);
    for (unsigned number = 0; number < 16; ++number) {
        EXPECT_EQ(bench.status_of(number), unanswered);
        bench.image.finish_one();
        EXPECT_EQ(bench.status_of(number), ok);
        EXPECT_TRUE(bench.driver->queue(0).take_used().has_value());
        EXPECT_EQ(bench.memory(data + number * 512, 512), bench.content(number * 4096, 512));
    }
    EXPECT_EQ(bench.driver->interrupt_status(), 1);
    EXPECT_EQ(bench.disk.statistic("in-flight"), 0u);
}

TEST_P(FlightTest, QueuesWorkSideBySide) {
    VirtioBlkBench bench{{{"queues", 4}}};
    bench.begin(features() | virtio_blk::feature::mq, 4);
    bench.image.holds = true;
    for (unsigned queue = 0; queue < 4; ++queue) {
        bench.add(in, queue, {{data + queue * 512, 512, true}}, queue, queue);
        bench.driver->notify(queue);
    }
    EXPECT_EQ(bench.image.held(), 4u);
    bench.image.finish_all();
    for (unsigned queue = 0; queue < 4; ++queue) {
        EXPECT_TRUE(bench.driver->queue(queue).take_used().has_value());
        EXPECT_EQ(bench.memory(data + queue * 512, 512), bench.content(queue * 512, 512));
    }
}

TEST_P(FlightTest, AResetForgetsWhatIsInFlight) {
    VirtioBlkBench bench;
    bench.begin(features());
    bench.image.holds = true;
    bench.add(in, 0, {{data, 512, true}});
    bench.add(flush, 0, {}, 1);
    bench.driver->notify(0);
    bench.driver->set_status(0);
    EXPECT_EQ(bench.image.held(), 0u) << "the image no longer uses guest memory";
    EXPECT_EQ(bench.status_of(0), unanswered);
    EXPECT_EQ(bench.status_of(1), unanswered);
    bench.image.holds = false;
    bench.begin(features());
    EXPECT_EQ(bench.request(in, 3, {{data, 512, true}}), ok);
    // And the machine's reset.
    bench.image.holds = true;
    bench.add(in, 0, {{data, 512, true}}, 2);
    bench.driver->notify(0);
    bench.disk.reset();
    EXPECT_EQ(bench.image.held(), 0u);
    EXPECT_EQ(bench.status_of(2), unanswered);
}

TEST_P(FlightTest, AQueueIsResetWhileOthersWork) {
    VirtioBlkBench bench{{{"queues", 2}}};
    bench.begin(features() | virtio::feature::ring_reset | virtio_blk::feature::mq, 2);
    bench.image.holds = true;
    bench.add(in, 0, {{data, 512, true}}, 0, 0);
    bench.add(in, 1, {{data + 512, 512, true}}, 1, 1);
    bench.driver->notify(0);
    bench.driver->notify(1);
    bench.driver->set_common(0x16, 2, 0);
    bench.driver->set_common(0x3a, 2, 1);
    EXPECT_EQ(bench.status_of(0), unanswered);
    EXPECT_EQ(bench.status_of(1), ok) << "it was waited for";
    EXPECT_TRUE(bench.driver->queue(1).take_used().has_value());
    EXPECT_EQ(bench.driver->queue(0).take_used(), std::nullopt);
}

TEST_P(FlightTest, RequestsAreMadeAgainAfterASnapshot) {
    VirtioBlkBench first, second;
    first.begin(features());
    second.on();
    // Of five the middle one was answered; the others are under way.
    first.image.holds = true;
    for (unsigned number = 0; number < 5; ++number) {
        first.image.holds = number != 2;
        first.add(number == 4 ? out : in, number * 8, {{data + number * 512, 512, number != 4}},
                  number);
        first.driver->notify(0);
    }
    EXPECT_EQ(first.image.held(), 4u);
    EXPECT_EQ(first.status_of(2), ok);
    second.slot.memory.memory = first.slot.memory.memory;
    second.disk.restore(first.disk.save());
    EXPECT_EQ(second.image.requests.size(), 0u) << "others may not be restored yet";
    second.disk.host().run_posted();
    EXPECT_EQ(second.image.requests.size(), 4u);
    for (const unsigned number : {0u, 1u, 3u, 4u})
        EXPECT_EQ(second.status_of(number), ok);
    EXPECT_EQ(second.memory(data + 3 * 512, 512), second.content(24 * 512, 512));
    first.image.finish_all();
    EXPECT_EQ(first.slot.memory.memory, second.slot.memory.memory);
    EXPECT_EQ(testing::state_difference(first.disk.save(), second.disk.save()), "");
    unsigned answered = 0;
    while (first.driver->queue(0).take_used())
        ++answered;
    EXPECT_EQ(answered, 5u);
}

TEST(VirtioBlkFlightTest, SurvivesASnapshotWhenIdle) {
    VirtioBlkBench first, second;
    first.begin(VirtioBlkBench::all_features | virtio_blk::feature::config_wce);
    second.on();
    first.driver->set_config(32, 1, 0);
    EXPECT_EQ(first.request(in, 3, {{data, 512, true}}), ok);
    second.slot.memory.memory = first.slot.memory.memory;
    EXPECT_EQ(testing::round_trip(first.disk, second.disk), "");
}

TEST(VirtioBlkFlightTest, TakesItsTimeInGuestTime) {
    VirtioBlkBench bench{{{"access-time", 100us}}};
    VirtioBlkBench other{{{"access-time", 100us}}};
    bench.begin();
    other.on();
    bench.add(in, 3, {{data, 512, true}});
    bench.driver->notify(0);
    EXPECT_EQ(bench.status_of(), unanswered);
    bench.clock.advance(60us);
    EXPECT_EQ(bench.status_of(), unanswered);
    other.slot.memory.memory = bench.slot.memory.memory;
    EXPECT_EQ(testing::round_trip(bench.disk, other.disk, 30us), "");
    EXPECT_EQ(bench.status_of(), unanswered);
    bench.clock.advance(11us);
    other.clock.advance(11us);
    EXPECT_EQ(bench.status_of(), ok);
    EXPECT_EQ(bench.slot.memory.memory, other.slot.memory.memory);
    bench.driver->set_status(0);
    bench.begin();
    bench.add(in, 3, {{data, 512, true}});
    bench.driver->notify(0);
    bench.driver->set_status(0);
    bench.clock.advance(1ms);
    EXPECT_EQ(bench.status_of(), unanswered) << "a reset forgets what waits";
}

TEST(VirtioBlkFlightTest, OthersHaveTheirTurnBetweenManyRequests) {
    VirtioBlkBench bench{{{"queue-size", 256}}};
    bench.on();
    bench.driver->negotiate(VirtioBlkBench::all_features);
    auto& queue = bench.driver->add_queue(0, 0x60000, 256);
    bench.driver->ready();
    bench.put_header(in, 3);
    for (int count = 0; count < 80; ++count)
        queue.add(
            {{VirtioBlkBench::header, 16}, {data, 512, true}, {VirtioBlkBench::status, 1, true}});
    bench.driver->notify(0);
    const auto answered = [&] {
        unsigned count = 0;
        while (queue.take_used())
            ++count;
        return count;
    };
    EXPECT_EQ(answered(), 64u);
    bench.clock.advance(1ns);
    EXPECT_EQ(answered(), 16u);
}

// An image that takes no more than 4 KiB at a time.
class SmallTransfers {
public:
    explicit SmallTransfers(FakeBlock& block) : block_{block.link()} {
        table_ = *static_cast<const backplane_block*>(block_.functions);
        inner_describe_ = table_.describe;
        table_.describe = [](void* object, backplane_block_info* info) {
            inner_describe_(object, info);
            info->maximum_transfer = 4096 + 100;
        };
    }
    backplane_link link() const { return {&table_, block_.object}; }

private:
    static inline void (*inner_describe_)(void*, backplane_block_info*) = nullptr;
    backplane_link block_;
    backplane_block table_{};
};

TEST(VirtioBlkFlightTest, LargeTransfersGoInParts) {
    VirtioBlkBench bench;
    SmallTransfers small{bench.image};
    bench.disk.connect("image", small);
    bench.begin();
    EXPECT_EQ(bench.request(in, 16, {{data, 5000, true}, {data + 5000, 5240, true}}), ok);
    EXPECT_EQ(bench.image.requests.size(), 3u);
    EXPECT_EQ(bench.memory(data, 10240), bench.content(16 * 512, 10240));
    bench.image.holds = true;
    bench.add(out, 200, {{data, 10240}});
    bench.driver->notify(0);
    for (int part = 0; part < 3; ++part) {
        EXPECT_EQ(bench.status_of(), unanswered);
        EXPECT_TRUE(bench.image.finish_one());
    }
    EXPECT_EQ(bench.status_of(), ok);
    EXPECT_EQ(bench.content(200 * 512, 10240), bench.content(16 * 512, 10240));
    // The second of three fails: the rest is not tried.
    bench.image.bad = {24 * 512, 25 * 512};
    bench.image.requests.clear();
    bench.add(in, 16, {{data, 10240, true}});
    bench.driver->notify(0);
    bench.image.finish_all();
    EXPECT_EQ(bench.status_of(), ioerr);
    EXPECT_EQ(bench.image.requests.size(), 2u);
}

}  // namespace
}  // namespace backplane::storage
