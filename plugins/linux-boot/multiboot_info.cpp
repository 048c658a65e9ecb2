#include "multiboot_info.h"

#include "little_endian.h"

#include <algorithm>

namespace backplane::linux_boot {

namespace {

constexpr const char* loader_name = "Backplane";

// The VGA text screen.
constexpr std::uint64_t screen_address = 0xb8000;
constexpr std::uint32_t screen_pitch = 160, screen_columns = 80, screen_rows = 25;
constexpr std::uint8_t screen_bits = 16, screen_is_text = 2;

class Block {
public:
    explicit Block(std::size_t size = 0) : bytes_(size) {}

    template <class T>
    void put(std::size_t offset, T value) {
        store(std::span{bytes_}, offset, value);
    }
    template <class T>
    void add(T value) {
        bytes_.resize(bytes_.size() + sizeof value);
        store(std::span{bytes_}, bytes_.size() - sizeof value, value);
    }
    void add_bytes(std::span<const std::byte> bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    void add_text(const std::string& text) {
        add_bytes(std::as_bytes(std::span{text.c_str(), text.size() + 1}));
    }
    void align(std::size_t alignment) {
        bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    }

    std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
    std::vector<std::byte> take() { return std::move(bytes_); }

private:
    std::vector<std::byte> bytes_;
};

}  // namespace

std::uint32_t MultibootFacts::lower_memory() const {
    const auto first = std::ranges::find(map, std::uint64_t{0},
                                         [](const E820Entry& entry) { return entry.range.start; });
    return first == map.end()
               ? 0
               : static_cast<std::uint32_t>(std::min<std::uint64_t>(first->range.end >> 10, 640));
}

std::uint32_t MultibootFacts::upper_memory() const {
    for (const E820Entry& entry : map) {
        if (entry.range.start == 0x100000 && entry.kind == MemoryKind::Usable)
            return static_cast<std::uint32_t>(
                std::min<std::uint64_t>(entry.range.size() >> 10, 0xffffffff));
    }
    return 0;
}

// Multiboot 0.6.96, 3.3 Boot information format.
std::vector<std::byte> multiboot_info_1(const MultibootFacts& facts, std::uint32_t base) {
    constexpr std::uint32_t has_memory = 1 << 0, has_command_line = 1 << 2, has_modules = 1 << 3,
                            has_sections = 1 << 5, has_map = 1 << 6, has_loader_name = 1 << 9,
                            has_screen = 1 << 12;
    constexpr std::size_t fixed = 116, module_size = 16;

    Block info{fixed};
    const auto here = [&] { return base + info.size(); };
    std::uint32_t flags = has_memory | has_command_line | has_modules | has_map | has_loader_name;
    info.put(4, facts.lower_memory());
    info.put(8, facts.upper_memory());

    info.put(20, static_cast<std::uint32_t>(facts.modules.size()));
    info.put(24, here());
    const std::uint32_t modules_at = info.size();
    for (const auto& module : facts.modules) {
        info.add(module.start);
        info.add(module.end);
        info.add(std::uint64_t{0});
    }
    info.put(44, static_cast<std::uint32_t>(facts.map.size() * 24));
    info.put(48, here());
    for (const E820Entry& entry : facts.map) {
        info.add(std::uint32_t{20});  // of what follows
        info.add(entry.range.start);
        info.add(entry.range.size());
        info.add(static_cast<std::uint32_t>(entry.kind));
    }
    if (!facts.section_headers.empty()) {
        flags |= has_sections;
        info.put(28, static_cast<std::uint32_t>(facts.section_headers.size() /
                                                facts.section_header_size));
        info.put(32, facts.section_header_size);
        info.put(36, here());
        info.put(40, facts.section_names);
        info.add_bytes(facts.section_headers);
    }
    for (std::size_t index = 0; index < facts.modules.size(); ++index) {
        info.put(modules_at + index * module_size + 8, here());
        info.add_text(facts.modules[index].command_line);
    }
    info.put(16, here());
    info.add_text(facts.command_line);
    info.put(64, here());
    info.add_text(loader_name);
    if (facts.has_screen) {
        flags |= has_screen;
        info.put(88, screen_address);
        info.put(96, screen_pitch);
        info.put(100, screen_columns);
        info.put(104, screen_rows);
        info.put(108, screen_bits);
        info.put(109, screen_is_text);
    }
    info.put(0, flags);
    return info.take();
}

// Multiboot2 2.0, 3.6 Boot information format.
std::vector<std::byte> multiboot_info_2(const MultibootFacts& facts) {
    enum Tag : std::uint32_t {
        end = 0,
        command_line = 1,
        loader = 2,
        module = 3,
        memory = 4,
        map = 6,
        framebuffer = 8,
        sections = 9,
        acpi_old = 14,
        acpi_new = 15,
        load_base = 21
    };

    Block info{8};
    const auto tag = [&](Tag type, auto fill) {
        info.align(8);
        const std::uint32_t start = info.size();
        info.add(static_cast<std::uint32_t>(type));
        info.add(std::uint32_t{0});
        fill();
        info.put(start + 4, info.size() - start);
    };
    tag(command_line, [&] { info.add_text(facts.command_line); });
    tag(loader, [&] { info.add_text(loader_name); });
    for (const auto& each : facts.modules) {
        tag(module, [&] {
            info.add(each.start);
            info.add(each.end);
            info.add_text(each.command_line);
        });
    }
    tag(memory, [&] {
        info.add(facts.lower_memory());
        info.add(facts.upper_memory());
    });
    tag(map, [&] {
        info.add(std::uint32_t{24});  // of an entry
        info.add(std::uint32_t{0});
        for (const E820Entry& entry : facts.map) {
            info.add(entry.range.start);
            info.add(entry.range.size());
            info.add(static_cast<std::uint32_t>(entry.kind));
            info.add(std::uint32_t{0});
        }
    });
    if (facts.has_screen) {
        tag(framebuffer, [&] {
            info.add(screen_address);
            info.add(screen_pitch);
            info.add(screen_columns);
            info.add(screen_rows);
            info.add(screen_bits);
            info.add(screen_is_text);
            info.add(std::uint16_t{0});
        });
    }
    if (!facts.section_headers.empty()) {
        tag(sections, [&] {
            info.add(static_cast<std::uint32_t>(facts.section_headers.size() /
                                                facts.section_header_size));
            info.add(facts.section_header_size);
            info.add(facts.section_names);
            info.add_bytes(facts.section_headers);
        });
    }
    if (!facts.acpi_root.empty()) {
        constexpr std::size_t old_size = 20;
        const std::span root{facts.acpi_root};
        tag(acpi_old, [&] { info.add_bytes(root.first(std::min(old_size, root.size()))); });
        if (root.size() > old_size) tag(acpi_new, [&] { info.add_bytes(root); });
    }
    tag(load_base, [&] { info.add(facts.load_base); });
    tag(end, [] {});
    info.put(0, info.size());
    return info.take();
}

}  // namespace backplane::linux_boot
