// What a machine publishes of accesses, requests, lines and messages, and that nothing changes for
// those who do it.
#include "runtime/address_space.h"
#include "runtime/interrupt_lines.h"
#include "runtime/locked_controllers.h"
#include "runtime/machine_events.h"
#include "runtime/observed_links.h"

#include <backplane/connection.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/fake_connections.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace backplane::runtime {
namespace {

using backplane::testing::FakeBlock;
using backplane::testing::RecordedMessages;

// All events of a topic since it was made.
template <class Payload>
class Heard {
public:
    explicit Heard(EventHub& hub)
        : subscription_{hub.subscribe(
              Payload::topic, sizeof(Payload),
              [](void* user, const void* payload) {
                  static_cast<Heard*>(user)->events.push_back(
                      *static_cast<const Payload*>(payload));
              },
              this)} {}
    ~Heard() { EventHub::unsubscribe(subscription_); }
    Heard(const Heard&) = delete;
    Heard& operator=(const Heard&) = delete;

    std::vector<Payload> events;

private:
    backplane_subscription* subscription_;
};

class MachineEventsTest : public ::testing::Test {
protected:
    EventHub hub;
    std::uint64_t guest_time = 1000;
    MachineEvents events{hub, [this] { return guest_time; }};
};

TEST(EventNames, AreCutOffWhereTheyAreTooLong) {
    char place[8];
    put_event_name(place, "com1.irq and more");
    EXPECT_EQ(event_name(place), "com1.ir");
    put_event_name(place, "a");
    EXPECT_EQ(event_name(place), "a");
    EXPECT_EQ(place[7], 0) << "nothing of before is left";
    const char unended[4] = {'a', 'b', 'c', 'd'};
    EXPECT_EQ(event_name(unended), "abcd");
}

// ---- Accesses ----

struct Device {
    std::uint64_t last = 0;
    std::uint32_t most = 3;  // of many
    backplane_window window{
        .struct_size = sizeof(backplane_window),
        .flags = 0,
        .memory = nullptr,
        .read = [](void*, std::uint64_t offset, std::uint32_t) { return 0x1100 + offset; },
        .write = [](void* object, std::uint64_t, std::uint32_t,
                    std::uint64_t value) { static_cast<Device*>(object)->last = value; },
        .access_sizes = 0,
        .reserved = 0,
        .size = 0,
        .read_many = [](void* object, std::uint64_t, std::uint32_t, void*, std::uint32_t count)
            -> std::uint32_t { return std::min(count, static_cast<Device*>(object)->most); },
        .write_many = nullptr,
    };
};

class AccessEventsTest : public MachineEventsTest {
protected:
    void SetUp() override {
        ports.observe(events, BACKPLANE_ACCESS_PORT);
        ASSERT_FALSE(ports.map({.owner = "com1.registers",
                                .base = 0x3f8,
                                .size = 8,
                                .offset = 0x10,
                                .window = &device.window,
                                .object = &device}));
    }

    MachineLock lock;
    DirtyTracking dirty;
    ExclusiveSection exclusive{lock, [] {}};
    AddressSpace ports{"io", 0x10000, lock, exclusive, dirty};
    Device device;
};

TEST_F(AccessEventsTest, NameTheWindowTheAddressAndTheValue) {
    const Heard<DeviceAccess> heard{hub};
    EXPECT_EQ(ports.read(0x3fd, 2), 0x1115u);
    ports.write(0x3f9, 1, 0x177);
    EXPECT_EQ(device.last, 0x77u);
    ASSERT_EQ(heard.events.size(), 2u);
    const DeviceAccess &read = heard.events[0], &write = heard.events[1];
    EXPECT_EQ(event_name(read.origin.source), "com1.registers");
    EXPECT_EQ(read.origin.guest_time, 1000u);
    EXPECT_NE(read.origin.host_time, 0u);
    EXPECT_EQ(read.address, 0x3fdu);
    EXPECT_EQ(read.value, 0x1115u);
    EXPECT_EQ(read.size, 2u);
    EXPECT_EQ(read.count, 1u);
    EXPECT_EQ(read.kind, BACKPLANE_ACCESS_PORT | BACKPLANE_ACCESS_READ);
    EXPECT_EQ(write.address, 0x3f9u);
    EXPECT_EQ(write.value, 0x77u);
    EXPECT_EQ(write.kind, BACKPLANE_ACCESS_PORT | BACKPLANE_ACCESS_WRITE);
    EXPECT_GE(write.origin.host_time, read.origin.host_time + read.duration);
}

TEST_F(AccessEventsTest, ManyWordsAtOnceAreOneAccess) {
    const Heard<DeviceAccess> heard{hub};
    std::array<std::uint16_t, 5> words;
    EXPECT_EQ(ports.read_many(0x3f8, 2, words.data(), 5), 3u);
    ASSERT_EQ(heard.events.size(), 1u);
    EXPECT_EQ(heard.events[0].count, 3u);
    EXPECT_EQ(heard.events[0].value, 0u);
    device.most = 0;
    EXPECT_EQ(ports.read_many(0x3f8, 2, words.data(), 5), 0u);
    EXPECT_EQ(heard.events.size(), 1u) << "there was none";
}

TEST_F(AccessEventsTest, WithoutADeviceThereIsNone) {
    const Heard<DeviceAccess> heard{hub};
    EXPECT_EQ(ports.read(0x80, 1), 0xffu);
    ports.write(0x80, 1, 1);
    EXPECT_TRUE(heard.events.empty());
}

TEST_F(AccessEventsTest, WithoutASubscriberAllIsTheSame) {
    EXPECT_EQ(ports.read(0x3fd, 2), 0x1115u);
    ports.write(0x3f9, 1, 0x77);
    EXPECT_EQ(device.last, 0x77u);
    EXPECT_EQ(ports.mappings()[0]->reads, 1u);
}

// ---- Requests ----

class BlockEventsTest : public MachineEventsTest {
protected:
    struct Result {
        int calls = 0;
        std::int32_t value = -1;
    };

    std::int32_t submit(std::uint32_t operation, std::uint64_t offset) {
        segment = {bytes.data(), bytes.size()};
        const backplane_block_request request{sizeof request,
                                              operation,
                                              BACKPLANE_BLOCK_FORCE_ACCESS,
                                              operation == BACKPLANE_BLOCK_FLUSH ? 0u : 1u,
                                              offset,
                                              bytes.size(),
                                              &segment,
                                              [](void* user, std::int32_t value) {
                                                  auto& result = *static_cast<Result*>(user);
                                                  ++result.calls;
                                                  result.value = value;
                                              },
                                              &result};
        const auto& functions = *static_cast<const backplane_block*>(link.functions);
        return functions.submit(link.object, &request);
    }

    FakeBlock disk{4096};
    ObservedLinks links{events};
    backplane_link link = links.block(disk.link(), "ide0", "disk0-image");
    std::array<std::uint8_t, 512> bytes{};
    backplane_block_segment segment{};
    Result result;
};

TEST_F(BlockEventsTest, ARequestThatFinishesAtOnceIsToldTwice) {
    const Heard<BlockStarted> starts{hub};
    const Heard<BlockCompleted> ends{hub};
    disk.bytes[512] = 7;
    EXPECT_EQ(submit(BACKPLANE_BLOCK_READ, 512), BACKPLANE_BLOCK_OK);
    EXPECT_EQ(bytes[0], 7);
    EXPECT_EQ(result.calls, 0) << "results of submit are not told again";
    ASSERT_EQ(starts.events.size(), 1u);
    ASSERT_EQ(ends.events.size(), 1u);
    const BlockStarted& start = starts.events[0];
    const BlockCompleted& end = ends.events[0];
    EXPECT_EQ(event_name(start.origin.source), "ide0");
    EXPECT_EQ(event_name(start.backend), "disk0-image");
    EXPECT_EQ(start.operation, static_cast<std::uint32_t>(BACKPLANE_BLOCK_READ));
    EXPECT_EQ(start.offset, 512u);
    EXPECT_EQ(start.length, 512u);
    EXPECT_EQ(start.flags, BACKPLANE_BLOCK_FORCE_ACCESS);
    EXPECT_EQ(end.id, start.id);
    EXPECT_EQ(end.started_host_time, start.origin.host_time);
    EXPECT_EQ(end.started_guest_time, 1000u);
    EXPECT_EQ(end.result, static_cast<std::uint32_t>(BACKPLANE_BLOCK_OK));
    EXPECT_GE(end.origin.host_time, end.started_host_time);
}

TEST_F(BlockEventsTest, RequestsThatTakeLongerHaveEndsOfTheirOwn) {
    const Heard<BlockStarted> starts{hub};
    const Heard<BlockCompleted> ends{hub};
    disk.holds = true;
    EXPECT_EQ(submit(BACKPLANE_BLOCK_WRITE, 0), BACKPLANE_BLOCK_PENDING);
    EXPECT_EQ(submit(BACKPLANE_BLOCK_FLUSH, 0), BACKPLANE_BLOCK_PENDING);
    EXPECT_TRUE(ends.events.empty());
    guest_time = 5000;
    disk.finish_one();
    ASSERT_EQ(ends.events.size(), 1u);
    EXPECT_EQ(result.calls, 1);
    EXPECT_EQ(ends.events[0].origin.guest_time, 5000u);
    EXPECT_EQ(ends.events[0].started_guest_time, 1000u);
    disk.finish_all();
    ASSERT_EQ(ends.events.size(), 2u);
    EXPECT_NE(ends.events[0].id, ends.events[1].id);
    EXPECT_EQ(ends.events[1].id, starts.events[1].id);
}

TEST_F(BlockEventsTest, FailuresAreResults) {
    const Heard<BlockCompleted> ends{hub};
    EXPECT_EQ(submit(BACKPLANE_BLOCK_READ, 1 << 20), BACKPLANE_BLOCK_INVALID);
    disk.bad = {0, 512};
    disk.holds = true;
    submit(BACKPLANE_BLOCK_READ, 0);
    disk.finish_all();
    EXPECT_EQ(result.value, BACKPLANE_BLOCK_FAILED);
    ASSERT_EQ(ends.events.size(), 2u);
    EXPECT_EQ(ends.events[0].result, static_cast<std::uint32_t>(BACKPLANE_BLOCK_INVALID));
    EXPECT_EQ(ends.events[1].result, static_cast<std::uint32_t>(BACKPLANE_BLOCK_FAILED));
}

TEST_F(BlockEventsTest, WhoStopsListeningHarmsNoRequest) {
    disk.holds = true;
    {
        const Heard<BlockCompleted> ends{hub};
        submit(BACKPLANE_BLOCK_READ, 0);
    }
    disk.finish_all();
    EXPECT_EQ(result.calls, 1);
    submit(BACKPLANE_BLOCK_READ, 0);
    const Heard<BlockCompleted> ends{hub};
    disk.finish_all();
    EXPECT_EQ(result.calls, 2);
    EXPECT_TRUE(ends.events.empty()) << "nobody listened when it began";
}

TEST_F(BlockEventsTest, ALinkOffersWhatIsBehindIt) {
    const Connection<backplane_block> observed{link};
    EXPECT_TRUE(observed.has<&backplane_block::resize>());
    EXPECT_TRUE(observed.has<&backplane_block::lock_medium>());
    EXPECT_FALSE(observed.has<&backplane_block::change_medium>());
    observed.call<&backplane_block::lock_medium>(1);
    EXPECT_TRUE(disk.is_locked);
    backplane_block_info info{};
    info.struct_size = sizeof info;
    observed.call<&backplane_block::describe>(&info);
    EXPECT_EQ(info.size, 4096u);
}

// ---- Interrupts ----

TEST_F(MachineEventsTest, LinesAreToldWithBothEndsBeforeTheInputHearsOfThem) {
    struct Input {
        std::vector<std::string> order;
    } input;
    static constexpr backplane_line functions{
        sizeof(backplane_line), 0, [](void* object, std::int32_t level) {
            static_cast<Input*>(object)->order.push_back(level != 0 ? "input 1" : "input 0");
        }};
    auto* subscription = hub.subscribe(
        InterruptLine::topic, sizeof(InterruptLine),
        [](void* user, const void* payload) {
            const auto& line = *static_cast<const InterruptLine*>(payload);
            static_cast<Input*>(user)->order.push_back(
                std::string{event_name(line.origin.source)} + " to " +
                std::string{event_name(line.target)} + ": " + std::to_string(line.level));
        },
        &input);
    MachineLock lock;
    InterruptLines lines{lock, &events};
    const auto a = lines.connect({&functions, &input}, {}, {"com1.irq", "pic0"});
    const auto b = lines.connect({&functions, &input}, {}, {"com3.irq", "pic0"});
    const auto drive = [](backplane_link output, int level) {
        static_cast<const backplane_line*>(output.functions)->set(output.object, level);
    };
    drive(a, 1);
    drive(a, 1);
    drive(b, 1);
    drive(a, 0);
    EventHub::unsubscribe(subscription);
    EXPECT_EQ(input.order,
              (std::vector<std::string>{"com1.irq to pic0: 1", "input 1", "com3.irq to pic0: 1",
                                        "com1.irq to pic0: 0"}));
}

TEST_F(MachineEventsTest, MessagesAreToldIfTheyAreTaken) {
    const Heard<InterruptMessage> heard{hub};
    RecordedMessages apic;
    ObservedLinks links{events};
    const Connection<backplane_message_interrupt> messages{
        links.messages(apic.link(), "ioapic0", "lapic0")};
    EXPECT_EQ(messages.call<&backplane_message_interrupt::send>(0xfee00000u, 0x31u), 1);
    apic.accepts = false;
    EXPECT_EQ(messages.call<&backplane_message_interrupt::send>(0xfee01000u, 0x32u), 0);
    ASSERT_EQ(heard.events.size(), 1u);
    EXPECT_EQ(event_name(heard.events[0].origin.source), "ioapic0");
    EXPECT_EQ(event_name(heard.events[0].target), "lapic0");
    EXPECT_EQ(heard.events[0].address, 0xfee00000u);
    EXPECT_EQ(heard.events[0].data, 0x31u);
}

TEST_F(MachineEventsTest, InterruptsTakenAndRegistersOfControllersAreTold) {
    struct Apic {
        std::int32_t next = 0x31;
        std::uint64_t written = 0;
    } apic;
    backplane_interrupt_controller functions{};
    functions.struct_size = sizeof functions;
    functions.acknowledge = [](void* object) { return static_cast<Apic*>(object)->next; };
    functions.read = [](void*, std::uint64_t, std::uint32_t) { return std::uint64_t{0x55}; };
    functions.write = [](void* object, std::uint64_t, std::uint32_t, std::uint64_t value) {
        static_cast<Apic*>(object)->written = value;
    };
    MachineLock lock;
    LockedControllers controllers{lock, events};
    const Connection<backplane_interrupt_controller> controller{
        controllers.wrap({&functions, &apic}, "lapic0", "cpu0")};
    const Heard<InterruptTaken> taken{hub};
    const Heard<DeviceAccess> accesses{hub};
    using Functions = backplane_interrupt_controller;
    EXPECT_EQ(controller.call<&Functions::acknowledge>(), 0x31);
    apic.next = -1;
    EXPECT_EQ(controller.call<&Functions::acknowledge>(), -1);
    EXPECT_EQ(controller.call<&Functions::read>(std::uint64_t{0x20}, 4u), 0x55u);
    controller.call<&Functions::write>(std::uint64_t{0xb0}, 4u, std::uint64_t{9});
    EXPECT_EQ(apic.written, 9u);
    EXPECT_FALSE(controller.has<&Functions::read_msr>());
    ASSERT_EQ(taken.events.size(), 1u);
    EXPECT_EQ(event_name(taken.events[0].origin.source), "lapic0");
    EXPECT_EQ(event_name(taken.events[0].target), "cpu0");
    EXPECT_EQ(taken.events[0].vector, 0x31u);
    ASSERT_EQ(accesses.events.size(), 2u);
    EXPECT_EQ(event_name(accesses.events[1].origin.source), "lapic0.registers");
    EXPECT_EQ(accesses.events[1].address, 0xb0u);
    EXPECT_EQ(accesses.events[1].value, 9u);
}

}  // namespace
}  // namespace backplane::runtime
