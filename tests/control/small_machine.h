// A machine with one of everything that control commands are about, each as small as can be.
#pragma once

#include "runtime/machine.h"

#include <backplane/sdk.h>
#include <backplane/testing/fake_display.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace backplane::runtime::control {

// Does nothing, for ever: halted, or, in a deterministic machine, one NOP after another. Programs
// on it see RAM from linear_base on.
class SmallCpu final : public Device {
public:
    static constexpr std::uint64_t linear_base = 0xffff800000000000, mapped = 0x2000;
    static inline bool is_busy = false;
    static void declare(Declaration<SmallCpu>& d);

    void reset(ResetKind) {
        ++resets;
        rax_ = 0x1234;
        rip_ = linear_base;
    }
    std::uint32_t run(std::int64_t budget) {
        if (attention_.exchange(false)) return BACKPLANE_CPU_ATTENTION;
        if (!is_busy) return BACKPLANE_CPU_HALTED;
        instructions_ += static_cast<std::uint64_t>(budget);
        return BACKPLANE_CPU_BUDGET;
    }
    void request_attention() { attention_ = true; }
    std::uint64_t instructions() { return instructions_; }
    std::uint32_t register_count() { return 3; }
    const backplane_cpu_register* register_info(std::uint32_t index) {
        static constexpr std::array<backplane_cpu_register, 3> infos{
            {{"rax", 8, 0}, {"rip", 8, 0}, {"xmm0", 16, 5}}};
        return &infos[index];
    }
    void get_register(std::uint32_t index, void* value) {
        std::memcpy(value, place(index), register_info(index)->bytes);
    }
    std::int32_t set_register(std::uint32_t index, const void* value) {
        std::uint64_t number = 0;
        std::memcpy(&number, value, sizeof number);
        if (index == 1 && number < linear_base) return 0;
        std::memcpy(place(index), value, register_info(index)->bytes);
        return 1;
    }
    std::int32_t translate(std::uint64_t linear, std::uint64_t* physical) {
        *physical = linear - linear_base;
        return linear >= linear_base && *physical < mapped ? 1 : 0;
    }
    std::uint32_t disassemble(std::uint64_t, char* text, std::uint32_t size) {
        std::strncpy(text, "nop", size);
        return 1;
    }

    static inline std::atomic<int> resets = 0;

private:
    void* place(std::uint32_t index) {
        if (index == 0) return &rax_;
        if (index == 1) return &rip_;
        return xmm_.data();
    }

    std::uint64_t rax_ = 0, rip_ = 0, instructions_ = 0;
    std::array<std::uint8_t, 16> xmm_{};
    std::atomic<bool> attention_ = false;
};

inline constexpr backplane_cpu small_cpu_functions{sizeof(backplane_cpu),
                                                   0,
                                                   thunk<&SmallCpu::run>,
                                                   thunk<&SmallCpu::request_attention>,
                                                   thunk<&SmallCpu::instructions>,
                                                   thunk<&SmallCpu::register_count>,
                                                   thunk<&SmallCpu::register_info>,
                                                   thunk<&SmallCpu::get_register>,
                                                   thunk<&SmallCpu::set_register>,
                                                   thunk<&SmallCpu::translate>,
                                                   thunk<&SmallCpu::disassemble>,
                                                   nullptr,
                                                   nullptr,
                                                   nullptr,
                                                   nullptr};

inline void SmallCpu::declare(Declaration<SmallCpu>& d) {
    d.type("test.cpu", "Does nothing");
    d.provides("cpu", small_cpu_functions, "The processor");
    d.counter(
        "instructions", [](SmallCpu& cpu) -> auto& { return cpu.instructions_; }, "instructions",
        "Retired");
}

class SmallMemory final : public Device {
public:
    static constexpr std::size_t size = 0x4000;
    static void declare(Declaration<SmallMemory>& d) {
        d.type("test.memory", "RAM and ROM");
        d.memory_region<&SmallMemory::ram>("ram", "May be written");
        d.memory_region<&SmallMemory::rom>("rom", "May not");
    }

private:
    MemoryRegion block(std::byte*& memory, bool writable) {
        if (memory == nullptr)
            memory = static_cast<std::byte*>(host().allocate_memory(host().context, size));
        return {memory, size, writable};
    }
    MemoryRegion ram() { return block(ram_, true); }
    MemoryRegion rom() { return block(rom_, false); }

    std::byte *ram_ = nullptr, *rom_ = nullptr;
};

// Registers with and without side effects, a window that it places itself, a setting, a topic, and
// saved state of each kind.
class SmallChip final : public Device {
public:
    struct Written {
        static constexpr const char* topic = "test.written/1";
        static constexpr const char* doc = "CONTROL was written";
        std::uint32_t value;
    };
    static void declare(Declaration<SmallChip>& d) {
        d.type("test.chip", "Has registers");
        d.property("clock", &SmallChip::clock_, "How fast");
        d.connects("button", &SmallChip::button_, "A button", Optional::Yes);
        d.address_space("memory", &SmallChip::space_, "Where it places a window");
        d.publishes(&SmallChip::written_);
        d.saved("history", &SmallChip::history_);
        d.saved("offset", &SmallChip::offset_);
        d.saved("memory", &SmallChip::memory_);
        auto& bank = d.port_registers("registers", Width::Bits8, "Some");
        bank.at(0, "CONTROL")
            .field(0, 7, "VALUE", &SmallChip::value_)
            .flag(7, "ENABLE", &SmallChip::enable_)
            .after_write(&SmallChip::tell);
        bank.at(1, "STATUS").field(0, 8, "COUNT", &SmallChip::count_, Access::ReadToClear);
        bank.at(2, "TIME").computed(0, 8, "NOW", [](SmallChip&) { return 1; });
    }
    void reset(ResetKind) {
        count_ = 7;
        placement_.remove();
        placement_ = space_.place({&placed, nullptr}, "placed", {.address = 0xc000, .size = 16});
    }

private:
    static constexpr backplane_window placed{
        .struct_size = sizeof(backplane_window),
        .flags = 0,
        .memory = nullptr,
        .read = [](void*, std::uint64_t, std::uint32_t) -> std::uint64_t { return 0; },
        .write = [](void*, std::uint64_t, std::uint32_t, std::uint64_t) {},
        .access_sizes = 0,
        .reserved = 0,
        .size = 16,
        .read_many = nullptr,
        .write_many = nullptr};

    void tell() { written_.publish({value_}); }

    Hertz clock_{1000};
    Connection<backplane_power_button> button_;
    backplane::AddressSpace space_;
    Placement placement_;
    Topic<Written> written_;
    std::array<std::uint16_t, 3> history_{1, 2, 3};
    std::int32_t offset_ = -5;
    std::array<std::uint8_t, 8192> memory_{};
    std::uint8_t value_ = 0, count_ = 7;
    bool enable_ = false;
};

class SmallButton final : public Device {
public:
    static inline std::atomic<int> presses = 0;
    static void declare(Declaration<SmallButton>& d);
    std::int32_t press() { return ++presses % 2; }
};

inline constexpr backplane_power_button small_button_functions{sizeof(backplane_power_button), 0,
                                                               thunk<&SmallButton::press>};

inline void SmallButton::declare(Declaration<SmallButton>& d) {
    d.type("test.button", "A button");
    d.provides("button", small_button_functions, "It");
}

// A drive's medium, of as many bytes as its file's name is long. It may be locked.
class SmallMedium final : public Device {
public:
    static inline bool is_locked = false;
    static void declare(Declaration<SmallMedium>& d) {
        d.type("test.medium", "A medium");
        provides_block(d, "block", "It");
    }
    void describe(backplane_block_info& info) { info.size = file_.size(); }
    void listen(const backplane_block_listener&) {}
    BlockResult submit(const backplane_block_request&) { return BlockResult::Ok; }
    void wait() {}
    BlockResult change_medium(const char* path, bool force) {
        if (is_locked && !force) return BlockResult::Refused;
        file_ = path;
        return BlockResult::Ok;
    }

private:
    std::string file_ = "first";
};

// Tells what it was asked about, in two pieces, or that there is nothing to tell.
class SmallReporter final : public Device {
public:
    static void declare(Declaration<SmallReporter>& d);

    std::uint32_t count() { return 2; }
    const backplane_report* describe(std::uint32_t index) {
        static constexpr backplane_report reports[]{
            {sizeof(backplane_report), 0, "echo", "WORD", "What it was asked about"},
            {sizeof(backplane_report), 0, "secret", "", "Nothing"}};
        return &reports[index];
    }
    backplane_status write(std::uint32_t index, const char* argument,
                           void (*take)(void*, const char*, std::uint64_t), void* user) {
        const std::string text = index == 0 ? std::string{argument} + "\n\x1b" : "it is one";
        const std::size_t half = text.size() / 2;
        take(user, text.data(), half);
        take(user, text.data() + half, text.size() - half);
        return index == 0 ? BACKPLANE_OK : BACKPLANE_FAILED;
    }
};

inline constexpr backplane_reports small_reports{
    sizeof(backplane_reports), 0, thunk<&SmallReporter::count>, thunk<&SmallReporter::describe>,
    thunk<&SmallReporter::write>};

inline void SmallReporter::declare(Declaration<SmallReporter>& d) {
    d.type("test.reporter", "Has reports");
    d.provides("reports", small_reports, "They");
}

// Keyboard, mouse and tablet in one: remembers what it is sent. `room` is what its guest reads.
class SmallInput final : public Device {
public:
    static inline std::vector<backplane_input_event> events;  // by the machine lock
    static constexpr std::uint32_t plenty = 1000;
    static inline std::atomic<std::uint32_t> free = plenty;
    static void declare(Declaration<SmallInput>& d);

    std::uint32_t accepts() { return 7; }
    std::uint32_t room() { return free; }
    void send(const backplane_input_event* sent, std::uint32_t count) {
        events.insert(events.end(), sent, sent + count);
        if (free < plenty) free = free < count ? 0 : free - count;
        if (events.size() > 100'000) events.clear();
    }
    std::uint32_t leds() { return 0; }
};

inline constexpr backplane_input small_input_functions{
    sizeof(backplane_input),     0,
    thunk<&SmallInput::accepts>, thunk<&SmallInput::room>,
    thunk<&SmallInput::send>,    thunk<&SmallInput::leds>};

inline void SmallInput::declare(Declaration<SmallInput>& d) {
    d.type("test.input", "Takes all");
    d.provides("input", small_input_functions, "It");
}

class SmallScreen final : public Device {
public:
    static inline std::atomic<bool> shows_text = true;
    static void declare(Declaration<SmallScreen>& d);

    void mode(backplane_display_mode* mode) { call().mode(&fake_, mode); }
    std::uint64_t changes(std::uint64_t since, std::uint64_t* rows, std::uint32_t count) {
        return call().changes(&fake_, since, rows, count);
    }
    void read_pixels(std::uint32_t x, std::uint32_t y, std::uint32_t width, std::uint32_t height,
                     std::uint32_t* pixels, std::uint64_t stride) {
        call().read_pixels(&fake_, x, y, width, height, pixels, stride);
    }
    std::int32_t read_text(backplane_display_text* text, backplane_display_cell* cells,
                           std::uint32_t capacity) {
        return call().read_text(&fake_, text, cells, capacity);
    }

private:
    const backplane_display& call() {
        fake_.text.clear();
        if (shows_text) fake_.text = {"hello", "world"};
        return *static_cast<const backplane_display*>(fake_.link().functions);
    }

    testing::FakeDisplay fake_{16, 8};
};

inline constexpr backplane_display small_screen_functions{sizeof(backplane_display),
                                                          0,
                                                          thunk<&SmallScreen::mode>,
                                                          thunk<&SmallScreen::changes>,
                                                          thunk<&SmallScreen::read_pixels>,
                                                          thunk<&SmallScreen::read_text>,
                                                          nullptr};

inline void SmallScreen::declare(Declaration<SmallScreen>& d) {
    d.type("test.screen", "Shows a little");
    d.provides("display", small_screen_functions, "It");
}

// RAM at 0, ROM at 0x8000, the chip's registers at 0x40 of io.
struct SmallMachine {
    explicit SmallMachine(ClockMode clock = ClockMode::Realtime) {
        SmallCpu::is_busy = clock == ClockMode::Deterministic;
        description.name = "small";
        description.clock = clock;
        add<SmallCpu>("cpu0");
        auto& memory = add<SmallMemory>("memory0");
        memory.windows.push_back(window(0, memory_space, 0));
        memory.windows.push_back(window(1, memory_space, 0x8000));
        auto& chip = add<SmallChip>("chip0");
        backplane_value clock_value{};
        clock_value.u = 1000;
        chip.values.add(clock_value);
        chip.links.push_back({.port = 0,
                              .element = 0,
                              .target = "button0",
                              .target_port = 0,
                              .target_element = 0,
                              .place = {}});
        chip.links.push_back({.port = 1,
                              .element = 0,
                              .target = memory_space,
                              .target_port = 0,
                              .target_element = 0,
                              .place = {}});
        chip.windows.push_back(window(2, io_space, 0x40));
        add<SmallButton>("button0");
        add<SmallInput>("input0");
        add<SmallScreen>("vga0");
        add<SmallReporter>("reporter0");
        add<SmallMedium>("cdrom0-image");
        Diagnostics diagnostics;
        machine = Machine::build(description, diagnostics);
        if (!machine) throw std::runtime_error(diagnostics.text());
    }
    ~SmallMachine() { end(); }

    void start(RunOptions options = {}) {
        ending_ = std::async(std::launch::async, [this, options] { return machine->run(options); });
        while (!machine->control().call([] {}) && !has_ended())
            std::this_thread::yield();
    }
    bool has_ended() const {
        return ending_.valid() &&
               ending_.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
    }
    Ending end() {
        if (!ending_.valid()) return {};
        machine->request_power_off(99, "the test is over");
        return ending_.get();
    }

    MachineDescription description;
    std::unique_ptr<Machine> machine;

private:
    template <class T> ComponentDescription& add(const char* name) {
        // References to earlier ones stay valid.
        description.components.reserve(16);
        auto& component = description.components.emplace_back();
        component.name = name;
        component.type = Declaration<T>::device_type();
        return component;
    }
    static WindowMapping window(std::uint32_t port, const char* space, std::uint64_t base) {
        return {.port = port,
                .space = space,
                .base = base,
                .priority = 0,
                .offset = 0,
                .size = 0,
                .place = {}};
    }

    std::future<Ending> ending_;
};

}  // namespace backplane::runtime::control
