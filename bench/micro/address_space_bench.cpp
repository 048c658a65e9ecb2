// What an access costs from the bus to a device and back, beside the device's own work.
#include "runtime/address_space.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

namespace backplane::runtime {
namespace {

constexpr std::uint64_t device_size = 0x10;

// A device of one register.
struct Register {
    std::uint64_t value = 0;
};

constexpr backplane_window register_window{
    .struct_size = sizeof(backplane_window),
    .flags = 0,
    .memory = nullptr,
    .read = [](void* object, std::uint64_t, std::uint32_t) -> std::uint64_t {
        return static_cast<Register*>(object)->value;
    },
    .write = [](void* object, std::uint64_t, std::uint32_t,
                std::uint64_t value) { static_cast<Register*>(object)->value = value; },
    .access_sizes = 0,
    .reserved = 0,
    .size = device_size,
    .read_many = nullptr,
    .write_many = nullptr,
};

// As many devices as a PC has, and RAM.
class Buses {
public:
    static constexpr std::uint64_t devices = 40, first_port = 0x100, first_address = 0xfe000000,
                                   apart = 0x100, ram_size = 1 << 20;

    Buses() {
        exclusive_.enter();
        ram_window_.struct_size = sizeof ram_window_;
        ram_window_.flags = BACKPLANE_WINDOW_READ_DIRECT | BACKPLANE_WINDOW_WRITE_DIRECT;
        ram_window_.memory = ram_.data();
        add(memory, 0, ram_size, &ram_window_, &ram_);
        for (std::uint64_t i = 0; i < devices; ++i) {
            add(ports, first_port + i * apart, device_size, &register_window, &registers_[i]);
            add(memory, first_address + i * apart, device_size, &register_window, &registers_[i]);
        }
    }

private:
    static void add(AddressSpace& space, std::uint64_t base, std::uint64_t size,
                    const backplane_window* window, void* object) {
        space.map({.owner = "device",
                   .base = base,
                   .size = size,
                   .priority = 0,
                   .window = window,
                   .object = object});
    }

    MachineLock lock_;
    DirtyTracking dirty_;
    ExclusiveSection exclusive_{lock_, [] {}};
    std::vector<std::uint8_t> ram_ = std::vector<std::uint8_t>(ram_size);
    backplane_window ram_window_{};
    std::vector<Register> registers_ = std::vector<Register>(devices);

public:
    AddressSpace memory{"memory", std::uint64_t{1} << 40, lock_, exclusive_, dirty_};
    AddressSpace ports{"io", 0x10000, lock_, exclusive_, dirty_};
};

// Each in turn, as no guest asks the same one for ever.
std::uint64_t place_of(std::uint64_t round) { return round % Buses::devices * Buses::apart; }

void bus_read_port(benchmark::State& state) {
    Buses buses;
    std::uint64_t round = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(buses.ports.read(Buses::first_port + place_of(round++), 1));
}
BENCHMARK(bus_read_port);

void bus_write_port(benchmark::State& state) {
    Buses buses;
    std::uint64_t round = 0;
    for (auto _ : state) {
        buses.ports.write(Buses::first_port + place_of(round), 1, round & 0xff);
        ++round;
    }
}
BENCHMARK(bus_write_port);

void bus_read_device_memory(benchmark::State& state) {
    Buses buses;
    std::uint64_t round = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(buses.memory.read(Buses::first_address + place_of(round++), 4));
}
BENCHMARK(bus_read_device_memory);

void bus_write_device_memory(benchmark::State& state) {
    Buses buses;
    std::uint64_t round = 0;
    for (auto _ : state) {
        buses.memory.write(Buses::first_address + place_of(round), 4, round);
        ++round;
    }
}
BENCHMARK(bus_write_device_memory);

// Through the bus; engines reach RAM without it.
void bus_read_ram(benchmark::State& state) {
    Buses buses;
    std::uint64_t round = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(buses.memory.read(round++ * 8 % Buses::ram_size, 8));
}
BENCHMARK(bus_read_ram);

void bus_find_ram(benchmark::State& state) {
    Buses buses;
    std::uint64_t round = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(buses.memory.find(round++ * 4096 % Buses::ram_size));
}
BENCHMARK(bus_find_ram);

}  // namespace
}  // namespace backplane::runtime
