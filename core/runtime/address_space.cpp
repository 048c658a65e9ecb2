#include "runtime/address_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <utility>

namespace backplane::runtime {

namespace {

constexpr std::uint64_t page_shift = 12;
// Spaces up to this size get a table with an entry for every address.
constexpr std::uint64_t direct_limit = std::uint64_t{1} << 16;

constexpr std::uint64_t mask_of(std::uint32_t size) {
    return size >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (size * 8)) - 1;
}

// The largest piece of an access that the window takes at this offset.
std::uint32_t piece(const backplane_window& window, std::uint64_t offset, std::uint32_t size) {
    const std::uint32_t allowed = window.access_sizes == 0 ? 15 : window.access_sizes;
    if (std::has_single_bit(size) && (allowed & size) != 0) return size;
    std::uint32_t step = std::bit_floor(size);
    while (step > 1 && ((allowed & step) == 0 || offset % step != 0))
        step >>= 1;
    return step;
}

// Whether accesses of this size to the address go to the window as they are, and it has `member`,
// which windows of plugins built against older ABIs lack.
template <auto member>
bool takes_many(const Mapping* mapping, std::uint64_t address, std::uint64_t end,
                std::uint32_t size) {
    if (mapping == nullptr || end - address < size) return false;
    const backplane_window& window = *mapping->window;
    const auto known = reinterpret_cast<const std::byte*>(&(window.*member) + 1) -
                       reinterpret_cast<const std::byte*>(&window);
    if (static_cast<std::size_t>(known) > window.struct_size || window.*member == nullptr)
        return false;
    return piece(window, address - mapping->base + mapping->offset, size) == size;
}

}  // namespace

AddressSpace::AddressSpace(std::string name, std::uint64_t limit, MachineLock& lock,
                           ExclusiveSection& exclusive, const DirtyTracking& dirty)
    : name_{std::move(name)}, limit_{limit}, lock_{lock}, exclusive_{exclusive}, dirty_{dirty} {
    flatten();
}

std::optional<std::string> AddressSpace::map(Mapping mapping) {
    if (mapping.size == 0) return std::nullopt;
    if (mapping.size > limit_ || mapping.base > limit_ - mapping.size)
        return fmt::format("{} at {}@{:#x} with {:#x} bytes does not fit: {} ends at {:#x}",
                           mapping.owner, name_, mapping.base, mapping.size, name_, limit_ - 1);
    for (const auto& other : mappings_) {
        if (other->priority != mapping.priority) continue;
        if (mapping.base >= other->base + other->size || other->base >= mapping.base + mapping.size)
            continue;
        return fmt::format("{} at {}@{:#x}-{:#x} overlaps {} at {:#x}-{:#x}; give one of them a "
                           "higher priority, or move it",
                           mapping.owner, name_, mapping.base, mapping.base + mapping.size - 1,
                           other->owner, other->base, other->base + other->size - 1);
    }
    add(std::move(mapping));
    return std::nullopt;
}

Mapping* AddressSpace::place(const backplane_placement& placement) {
    const MachineGuard guard{lock_};
    if (placement.size == 0 || placement.size > limit_ ||
        placement.address > limit_ - placement.size)
        return nullptr;
    add({.owner = placement.name,
         .base = placement.address,
         .size = placement.size,
         .priority = placement.priority,
         .offset = placement.offset,
         .window = placement.window,
         .object = placement.object,
         .answers_reads = (placement.accesses & BACKPLANE_PLACE_READS) != 0,
         .answers_writes = (placement.accesses & BACKPLANE_PLACE_WRITES) != 0});
    return mappings_.back().get();
}

void AddressSpace::add(Mapping mapping) {
    const auto [base, size] = std::pair{mapping.base, mapping.size};
    mappings_.push_back(std::make_unique<Mapping>(std::move(mapping)));
    flatten();
    tell_remapped(base, size);
}

void AddressSpace::remove(Mapping* mapping) {
    const MachineGuard guard{lock_};
    const auto found = std::ranges::find(mappings_, mapping, &std::unique_ptr<Mapping>::get);
    if (found == mappings_.end()) return;
    const auto [base, size] = std::pair{mapping->base, mapping->size};
    mappings_.erase(found);
    flatten();
    tell_remapped(base, size);
}

void AddressSpace::tell_remapped(std::uint64_t start, std::uint64_t length) {
    for (const auto& listener : listeners_)
        listener.remapped(listener.user, start, length);
}

void AddressSpace::flatten() {
    std::set<std::uint64_t> edges{0, limit_};
    for (const auto& mapping : mappings_) {
        edges.insert(mapping->base);
        edges.insert(mapping->base + mapping->size);
    }
    flat_.clear();
    for (auto edge = edges.begin(); std::next(edge) != edges.end(); ++edge) {
        Mapping *reader = nullptr, *writer = nullptr;
        for (const auto& mapping : mappings_) {
            if (*edge < mapping->base || *edge >= mapping->base + mapping->size) continue;
            if (mapping->answers_reads &&
                (reader == nullptr || mapping->priority > reader->priority))
                reader = mapping.get();
            if (mapping->answers_writes &&
                (writer == nullptr || mapping->priority > writer->priority))
                writer = mapping.get();
        }
        if (!flat_.empty() && flat_.back().reader == reader && flat_.back().writer == writer)
            flat_.back().end = *std::next(edge);
        else
            flat_.push_back({*edge, *std::next(edge), reader, writer});
    }
    if (limit_ > direct_limit) return;
    direct_.resize(limit_);
    for (std::size_t index = 0; index < flat_.size(); ++index)
        std::fill(direct_.begin() + static_cast<std::ptrdiff_t>(flat_[index].start),
                  direct_.begin() + static_cast<std::ptrdiff_t>(flat_[index].end),
                  static_cast<std::uint16_t>(index));
}

const AddressSpace::Flat& AddressSpace::flat(std::uint64_t address) const {
    if (address >= limit_) {
        static constexpr Flat beyond{0, 0, nullptr, nullptr};  // ends at 2^64
        return beyond;
    }
    if (!direct_.empty()) return flat_[direct_[address]];
    return *std::prev(std::upper_bound(
        flat_.begin(), flat_.end(), address,
        [](std::uint64_t value, const Flat& entry) { return value < entry.start; }));
}

backplane_range AddressSpace::find(std::uint64_t address) const {
    const MachineGuard guard{lock_};
    const Flat& entry = flat(address);
    backplane_range range{entry.start, entry.end - entry.start, nullptr, 0, 0};
    if (entry.reader == nullptr) return range;
    const Mapping& mapping = *entry.reader;
    if (mapping.window->memory == nullptr) return range;
    range.memory = mapping.window->memory + mapping.offset + (entry.start - mapping.base);
    range.readable = (mapping.window->flags & BACKPLANE_WINDOW_READ_DIRECT) != 0;
    range.writable = entry.writer == &mapping &&
                     (mapping.window->flags & BACKPLANE_WINDOW_WRITE_DIRECT) != 0;
    const std::uint8_t* place = range.memory + (address - range.start);
    const DirtyPages* pages = range.writable != 0 ? dirty_.find(place) : nullptr;
    if (pages == nullptr) return range;
    // A clean page is written through `write`, which marks it; then it can be had directly.
    const std::uint64_t page = pages->page_of(place);
    const auto* page_start = reinterpret_cast<const std::uint8_t*>(pages->memory().data()) +
                             page * dirty_page_size;
    const auto before = std::min<std::uint64_t>(static_cast<std::uint64_t>(place - page_start),
                                                address - entry.start);
    const auto after = std::min<std::uint64_t>(
        dirty_page_size - static_cast<std::uint64_t>(place - page_start), entry.end - address);
    range.start = address - before;
    range.length = before + after;
    range.memory = mapping.window->memory + mapping.offset + (range.start - mapping.base);
    range.writable = pages->is_dirty(page);
    return range;
}

std::uint64_t AddressSpace::read(std::uint64_t address, std::uint32_t size) {
    const MachineGuard guard{lock_};
    std::uint64_t value = 0;
    for (std::uint32_t done = 0; done < size;) {
        const Flat& entry = flat(address + done);
        std::uint32_t length = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(size - done, entry.end - (address + done)));
        std::uint64_t part = mask_of(length);
        if (entry.reader != nullptr) {
            Mapping& mapping = *entry.reader;
            const std::uint64_t offset = address + done - mapping.base + mapping.offset;
            if ((mapping.window->flags & BACKPLANE_WINDOW_READ_DIRECT) != 0) {
                part = 0;
                std::memcpy(&part, mapping.window->memory + offset, length);
            } else {
                length = piece(*mapping.window, offset, length);
                part = read_window(mapping, offset, length);
            }
        }
        value |= (part & mask_of(length)) << (done * 8);
        done += length;
    }
    return value;
}

void AddressSpace::write(std::uint64_t address, std::uint32_t size, std::uint64_t value) {
    const MachineGuard guard{lock_};
    for (std::uint32_t done = 0; done < size;) {
        const Flat& entry = flat(address + done);
        std::uint32_t length = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(size - done, entry.end - (address + done)));
        if (entry.writer != nullptr) {
            Mapping& mapping = *entry.writer;
            const std::uint64_t offset = address + done - mapping.base + mapping.offset;
            const std::uint64_t part = value >> (done * 8);
            if ((mapping.window->flags & BACKPLANE_WINDOW_WRITE_DIRECT) != 0) {
                write_memory(mapping, address + done, &part, length);
            } else {
                length = piece(*mapping.window, offset, length);
                write_window(mapping, offset, length, part & mask_of(length));
            }
        }
        done += length;
    }
}

std::uint64_t AddressSpace::read_window(Mapping& mapping, std::uint64_t offset,
                                        std::uint32_t size) {
    ++mapping.reads;
    if (mapping.window->read == nullptr) return mask_of(size);
    ObservedAccess access = observed(mapping, offset, size, BACKPLANE_ACCESS_READ);
    const std::uint64_t value = mapping.window->read(mapping.object, offset, size);
    access.note_value(value & mask_of(size));
    return value;
}

void AddressSpace::write_window(Mapping& mapping, std::uint64_t offset, std::uint32_t size,
                                std::uint64_t value) {
    ++mapping.writes;
    if (mapping.window->write == nullptr) return;
    ObservedAccess access = observed(mapping, offset, size, BACKPLANE_ACCESS_WRITE);
    access.note_value(value);
    mapping.window->write(mapping.object, offset, size, value);
}

void AddressSpace::read_block(std::uint64_t address, void* data, std::uint64_t length) {
    const MachineGuard guard{lock_};
    auto* to = static_cast<std::uint8_t*>(data);
    while (length != 0) {
        const Flat& entry = flat(address);
        const bool direct = entry.reader != nullptr &&
                            (entry.reader->window->flags & BACKPLANE_WINDOW_READ_DIRECT) != 0;
        const std::uint64_t step = direct ? std::min(length, entry.end - address) : 1;
        if (direct)
            std::memcpy(to,
                        entry.reader->window->memory +
                            (address - entry.reader->base + entry.reader->offset),
                        step);
        else
            *to = static_cast<std::uint8_t>(read(address, 1));
        address += step, to += step, length -= step;
    }
}

void AddressSpace::write_block(std::uint64_t address, const void* data, std::uint64_t length) {
    const MachineGuard guard{lock_};
    const auto* from = static_cast<const std::uint8_t*>(data);
    while (length != 0) {
        const Flat& entry = flat(address);
        const bool direct = entry.writer != nullptr &&
                            (entry.writer->window->flags & BACKPLANE_WINDOW_WRITE_DIRECT) != 0;
        const std::uint64_t step = direct ? std::min(length, entry.end - address) : 1;
        if (direct) {
            write_memory(*entry.writer, address, from, step);
        } else {
            write(address, 1, *from);
        }
        address += step, from += step, length -= step;
    }
}

std::uint32_t AddressSpace::read_many(std::uint64_t address, std::uint32_t size, void* data,
                                      std::uint32_t count) {
    const MachineGuard guard{lock_};
    const Flat& entry = flat(address);
    if (!takes_many<&backplane_window::read_many>(entry.reader, address, entry.end, size)) return 0;
    Mapping& mapping = *entry.reader;
    const std::uint64_t offset = address - mapping.base + mapping.offset;
    ObservedAccess access = observed(mapping, offset, size, BACKPLANE_ACCESS_READ);
    const std::uint32_t done = mapping.window->read_many(mapping.object, offset, size, data, count);
    done != 0 ? access.note_count(done) : access.forget();
    mapping.reads += done;
    return done;
}

std::uint32_t AddressSpace::write_many(std::uint64_t address, std::uint32_t size, const void* data,
                                       std::uint32_t count) {
    const MachineGuard guard{lock_};
    const Flat& entry = flat(address);
    if (!takes_many<&backplane_window::write_many>(entry.writer, address, entry.end, size))
        return 0;
    Mapping& mapping = *entry.writer;
    const std::uint64_t offset = address - mapping.base + mapping.offset;
    ObservedAccess access = observed(mapping, offset, size, BACKPLANE_ACCESS_WRITE);
    const std::uint32_t done = mapping.window->write_many(mapping.object, offset, size, data,
                                                          count);
    done != 0 ? access.note_count(done) : access.forget();
    mapping.writes += done;
    return done;
}

void AddressSpace::write_memory(const Mapping& mapping, std::uint64_t address, const void* data,
                                std::uint64_t length) {
    std::uint8_t* place = mapping.window->memory + (address - mapping.base + mapping.offset);
    // What a device had a host file read into the memory itself is there already, and a CPU may be
    // writing beside it: written over itself, that would be lost.
    if (place != data) std::memcpy(place, data, length);
    if (DirtyPages* pages = dirty_.find(place)) pages->mark(place, length);
    tell_code_written(address, length);
}

void AddressSpace::tell_remapped(std::span<const std::byte> memory) {
    const MachineGuard guard{lock_};
    const auto* first = reinterpret_cast<const std::uint8_t*>(memory.data());
    for (const auto& mapping : mappings_) {
        if (mapping->window->memory == nullptr) continue;
        const std::uint8_t* start = mapping->window->memory + mapping->offset;
        if (first >= start + mapping->size || start >= first + memory.size()) continue;
        tell_remapped(mapping->base, mapping->size);
    }
}

// A listener may have been compiled when there were fewer of its functions.
void AddressSpace::listen(const backplane_address_space_listener& listener) {
    auto& kept = listeners_.emplace_back();
    std::memcpy(&kept, &listener, std::min<std::size_t>(listener.struct_size, sizeof kept));
}

// Whoever writes directly into the page that a CPU begins to keep code of must stop first. Nobody
// does when another CPU keeps code of it already, and it was not claimed since.
void AddressSpace::watch_code(std::uint64_t page_address, bool watch) {
    const std::uint64_t page = page_address >> page_shift;
    {
        const MachineGuard guard{lock_};
        const auto found = code_pages_.find(page);
        if (!watch) {
            tell_code_watched(page, false);
            if (found != code_pages_.end() && --found->second.watchers == 0)
                code_pages_.erase(found);
            return;
        }
        if (found != code_pages_.end() && !found->second.is_claimed) return add_watcher(page);
    }
    exclusive_.begin();
    add_watcher(page);
    exclusive_.end();
}

void AddressSpace::add_watcher(std::uint64_t page) {
    CodePage& code = code_pages_[page];
    ++code.watchers;
    code.is_claimed = false;
    tell_code_watched(page, true);
}

void AddressSpace::tell_code_watched(std::uint64_t page, bool watch) {
    for (const auto& listener : listeners_)
        if (listener.code_watched != nullptr)
            listener.code_watched(listener.user, page << page_shift, std::int32_t{watch});
}

void AddressSpace::claim_code_page(std::uint64_t page_address) {
    exclusive_.begin();
    const std::uint64_t page = page_address >> page_shift;
    if (const auto found = code_pages_.find(page); found != code_pages_.end()) {
        found->second.is_claimed = true;
        tell_code_written(page << page_shift, std::uint64_t{1} << page_shift);
    }
    exclusive_.end();
}

void AddressSpace::tell_code_written(std::uint64_t address, std::uint64_t length) {
    if (code_pages_.empty()) return;
    const std::uint64_t first = address >> page_shift, last = (address + length - 1) >> page_shift;
    bool watched = false;
    if (last - first < code_pages_.size())
        for (std::uint64_t page = first; page <= last && !watched; ++page)
            watched = code_pages_.contains(page);
    else
        watched = std::ranges::any_of(code_pages_, [&](const auto& entry) {
            return first <= entry.first && entry.first <= last;
        });
    if (!watched) return;
    for (const auto& listener : listeners_)
        listener.code_written(listener.user, address, length);
}

std::uint64_t AddressSpace::extent() const {
    std::uint64_t end = 0;
    for (const auto& mapping : mappings_)
        end = std::max(end, mapping->base + mapping->size);
    return end;
}

const backplane_address_space AddressSpace::functions{
    sizeof(backplane_address_space),
    0,
    [](void* object, std::uint64_t address, backplane_range* range) {
        *range = static_cast<AddressSpace*>(object)->find(address);
    },
    [](void* object, std::uint64_t address, std::uint32_t size) {
        return static_cast<AddressSpace*>(object)->read(address, size);
    },
    [](void* object, std::uint64_t address, std::uint32_t size, std::uint64_t value) {
        static_cast<AddressSpace*>(object)->write(address, size, value);
    },
    [](void* object, std::uint64_t address, void* data, std::uint64_t length) {
        static_cast<AddressSpace*>(object)->read_block(address, data, length);
    },
    [](void* object, std::uint64_t address, const void* data, std::uint64_t length) {
        static_cast<AddressSpace*>(object)->write_block(address, data, length);
    },
    [](void* object, std::uint64_t page, std::int32_t watch) {
        static_cast<AddressSpace*>(object)->watch_code(page, watch > 0);
    },
    [](void* object, const backplane_address_space_listener* listener) {
        static_cast<AddressSpace*>(object)->listen(*listener);
    },
    [](void* object) { return static_cast<AddressSpace*>(object)->extent(); },
    [](void* object, std::uint64_t page) {
        static_cast<AddressSpace*>(object)->claim_code_page(page);
    },
    [](void* object, const backplane_placement* placement) {
        // The caller knows it by its address only.
        return reinterpret_cast<backplane_mapping*>(
            static_cast<AddressSpace*>(object)->place(*placement));
    },
    [](void* object, backplane_mapping* mapping) {
        static_cast<AddressSpace*>(object)->remove(reinterpret_cast<Mapping*>(mapping));
    },
    [](void* object, std::uint64_t address, std::uint32_t size, void* data, std::uint32_t count) {
        return static_cast<AddressSpace*>(object)->read_many(address, size, data, count);
    },
    [](void* object, std::uint64_t address, std::uint32_t size, const void* data,
       std::uint32_t count) {
        return static_cast<AddressSpace*>(object)->write_many(address, size, data, count);
    },
};

}  // namespace backplane::runtime
