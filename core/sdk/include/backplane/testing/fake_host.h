// The host of one device under test: everything the device asks for is recorded, and time is a
// FakeClock.
#pragma once

#include <backplane/abi.h>
#include <backplane/testing/fake_clock.h>

#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace backplane::testing {

class FakeHost {
public:
    struct LogLine {
        std::uint32_t level;
        std::string text;
    };

    struct PowerOff {
        int exit_code;
        std::string why;
    };

    explicit FakeHost(FakeClock& clock) : clock_{clock} {
        functions_.struct_size = sizeof functions_;
        functions_.log_level = BACKPLANE_LOG_TRACE;
        functions_.context = this;
        functions_.name = "device";
        functions_.log = [](void* context, std::uint32_t level, const char* text) {
            self(context).log_lines.push_back({level, text});
        };
        functions_.fail = [](void* context, const char* text) { self(context).failure = text; };
        functions_.request_reset = [](void* context, const char* why) {
            self(context).reset_requests.push_back(why);
        };
        functions_.request_power_off = [](void* context, std::int32_t code, const char* why) {
            self(context).power_off = PowerOff{code, why};
        };
        functions_.allocate_memory = &allocate_memory;
        // Writes are not noticed, so every page always counts as written.
        functions_.track_dirty = [](void*, void*, std::int32_t) {};
        functions_.take_dirty = [](void*, void*, std::uint64_t, std::uint64_t pages,
                                   std::uint64_t* bitmap) {
            std::fill_n(bitmap, (pages + 63) / 64, ~std::uint64_t{0});
        };
        functions_.date_at_start = [](void* context) { return self(context).date_at_start; };
        functions_.begin_exclusive = [](void*) {};
        functions_.end_exclusive = [](void*) {};
        functions_.cpu_count = [](void*) -> std::uint32_t { return 1; };
        bind_time();
        bind_events();
        bind_input();
    }

    ~FakeHost() {
        for (const auto* alarm : alarms_)
            clock_.destroy(alarm);
        for (const auto& [memory, bytes] : memories_)
            munmap(memory, bytes);
    }

    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    const backplane_host* functions() const { return &functions_; }
    FakeClock& clock() { return clock_; }

    // What the device asked for with `post`, and whatever its watched file descriptors have for it.
    void run_posted() {
        while (!posted_.empty()) {
            const auto [run, user] = posted_.front();
            posted_.pop_front();
            run(user);
        }
        for (auto& watch : std::list<Watch>{watches_}) {
            pollfd entry{watch.fd, POLLIN, 0};
            if (poll(&entry, 1, 0) > 0) watch.ready(watch.user);
        }
    }

    std::vector<LogLine> log_lines;
    std::string failure;  // the last text given to `fail`
    std::vector<std::string> reset_requests;
    std::optional<PowerOff> power_off;
    std::int64_t date_at_start = 1'735'689'600;  // 2025-01-01

private:
    struct Topic;

    struct Subscription {
        Topic* topic;
        void (*receive)(void*, const void*);  // null for a queue
        void* user;
        std::size_t capacity;
        std::deque<std::vector<std::byte>> queue;
        std::uint64_t lost = 0;
    };

    struct Topic {
        std::uint32_t payload_size = 0;
        std::uint32_t subscribers = 0;
        std::list<Subscription*> subscriptions;
    };

    struct Watch {
        int fd;
        void (*ready)(void*);
        void* user;
        std::uint64_t id;
    };

    static FakeHost& self(void* context) { return *static_cast<FakeHost*>(context); }
    static FakeClock::Alarm& alarm(backplane_timer* timer) {
        return *reinterpret_cast<FakeClock::Alarm*>(timer);
    }
    static Subscription& subscription(backplane_subscription* handle) {
        return *reinterpret_cast<Subscription*>(handle);
    }

    static void* allocate_memory(void* context, std::uint64_t bytes) {
        void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            self(context).failure = "mmap failed";
            return nullptr;
        }
        self(context).memories_.emplace_back(memory, bytes);
        return memory;
    }

    void bind_time() {
        functions_.now = [](void* context) {
            return static_cast<std::uint64_t>(self(context).clock_.now().count());
        };
        functions_.peek_now = functions_.now;
        functions_.timer_create = [](void* context, const char* name, void (*expire)(void*),
                                     void* user) {
            auto* created = self(context).clock_.create(name, expire, user);
            self(context).alarms_.push_back(created);
            return reinterpret_cast<backplane_timer*>(created);
        };
        functions_.timer_start = [](backplane_timer* timer, std::uint64_t deadline) {
            alarm(timer).clock->start(alarm(timer), Duration{static_cast<std::int64_t>(deadline)});
        };
        functions_.timer_stop = [](backplane_timer* timer) { alarm(timer).running = false; };
    }

    Topic& topic(const char* id, std::uint32_t payload_size) {
        Topic& entry = topics_[id];
        entry.payload_size = payload_size;
        return entry;
    }

    Subscription* add_subscription(Subscription entry) {
        Subscription& added = subscriptions_.emplace_back(std::move(entry));
        added.topic->subscriptions.push_back(&added);
        ++added.topic->subscribers;
        return &added;
    }

    void bind_events() {
        functions_.topic = [](void* context, const char* id, std::uint32_t size, const char*) {
            Topic& entry = self(context).topic(id, size);
            return backplane_topic{&entry.subscribers, &entry};
        };
        functions_.publish = [](void*, backplane_topic handle, const void* payload) {
            const Topic& entry = *static_cast<Topic*>(handle.handle);
            const auto* bytes = static_cast<const std::byte*>(payload);
            for (Subscription* target : entry.subscriptions) {
                if (target->receive != nullptr)
                    target->receive(target->user, payload);
                else if (target->queue.size() == target->capacity)
                    ++target->lost;
                else
                    target->queue.emplace_back(bytes, bytes + entry.payload_size);
            }
        };
        functions_.subscribe = [](void* context, const char* id, std::uint32_t size,
                                  void (*receive)(void*, const void*), void* user) {
            auto& host = self(context);
            return reinterpret_cast<backplane_subscription*>(
                host.add_subscription({&host.topic(id, size), receive, user, 0, {}}));
        };
        functions_.subscribe_queued = [](void* context, const char* id, std::uint32_t size,
                                         std::uint32_t capacity) {
            auto& host = self(context);
            return reinterpret_cast<backplane_subscription*>(
                host.add_subscription({&host.topic(id, size), nullptr, nullptr, capacity, {}}));
        };
        functions_.receive_queued = [](backplane_subscription* handle,
                                       void* payload) -> std::int32_t {
            auto& queue = subscription(handle).queue;
            if (queue.empty()) return 0;
            std::memcpy(payload, queue.front().data(), queue.front().size());
            queue.pop_front();
            return 1;
        };
        functions_.lost = [](backplane_subscription* handle) { return subscription(handle).lost; };
        functions_.unsubscribe = [](backplane_subscription* handle) {
            Topic& entry = *subscription(handle).topic;
            entry.subscriptions.remove(&subscription(handle));
            --entry.subscribers;
        };
    }

    void bind_input() {
        functions_.watch_readable = [](void* context, int fd, void (*ready)(void*), void* user) {
            auto& host = self(context);
            host.watches_.push_back({fd, ready, user, ++host.last_watch_});
            host.watch_handles_.push_back({&host, host.last_watch_});
            return reinterpret_cast<backplane_watch*>(&host.watch_handles_.back());
        };
        functions_.watch_stop = [](backplane_watch* handle) {
            const auto [host, id] = *reinterpret_cast<std::pair<FakeHost*, std::uint64_t>*>(handle);
            host->watches_.remove_if([id](const Watch& watch) { return watch.id == id; });
        };
        functions_.post = [](void* context, void (*run)(void*), void* user) {
            self(context).posted_.emplace_back(run, user);
        };
    }

    FakeClock& clock_;
    backplane_host functions_{};
    std::vector<FakeClock::Alarm*> alarms_;
    std::vector<std::pair<void*, std::size_t>> memories_;
    std::map<std::string, Topic> topics_;
    std::list<Subscription> subscriptions_;
    std::list<Watch> watches_;
    std::list<std::pair<FakeHost*, std::uint64_t>> watch_handles_;
    std::uint64_t last_watch_ = 0;
    std::deque<std::pair<void (*)(void*), void*>> posted_;
};

}  // namespace backplane::testing
