// Routes each access to the window that owns the address: the memory bus and the I/O bus of a
// machine.
#pragma once

#include "runtime/dirty_pages.h"
#include "runtime/exclusive_section.h"
#include "runtime/machine_events.h"
#include "runtime/machine_lock.h"

#include <backplane/abi/address_space.h>
#include <backplane/abi/window.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace backplane::runtime {

// A window of a component at an address. Where mappings overlap, the one with the highest priority
// is seen.
struct Mapping {
    std::string owner;  // "ram0.low", for messages and statistics
    std::uint64_t base = 0;
    std::uint64_t size = 0;
    std::int32_t priority = 0;
    std::uint64_t offset = 0;  // of `base` into the window
    const backplane_window* window = nullptr;
    void* object = nullptr;
    // What it answers; other accesses reach what lies beneath.
    bool answers_reads = true, answers_writes = true;
    // Accesses that called the device, guarded by the machine lock.
    std::uint64_t reads = 0, writes = 0;
};

class AddressSpace {
public:
    // Addresses from 0 to limit, exclusive. Memory that `dirty` tracks is handed out for writing
    // page by page, once dirty.
    AddressSpace(std::string name, std::uint64_t limit, MachineLock& lock,
                 ExclusiveSection& exclusive, const DirtyTracking& dirty);
    AddressSpace(const AddressSpace&) = delete;
    AddressSpace& operator=(const AddressSpace&) = delete;

    // Refuses, with the reason, a mapping that overlaps another of the same priority or lies beyond
    // the limit.
    std::optional<std::string> map(Mapping mapping);
    // While the machine runs, with the machine lock held, as backplane_address_space says: null
    // when it does not fit.
    Mapping* place(const backplane_placement& placement);
    void remove(Mapping* mapping);
    // Accesses to devices are told from now on. `kind` is what they are.
    void observe(MachineEvents& events, backplane_access_kind kind) {
        events_ = &events;
        kind_ = kind;
    }
    // Nobody is told of changes any more: the components are about to go, one after another.
    void forget_listeners() { listeners_.clear(); }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::vector<std::unique_ptr<Mapping>>& mappings() const {
        return mappings_;
    }

    // With the machine lock: who answers reads, and writes, at this address; null for nobody.
    [[nodiscard]] const Mapping* reader_at(std::uint64_t address) const {
        return flat(address).reader;
    }
    [[nodiscard]] const Mapping* writer_at(std::uint64_t address) const {
        return flat(address).writer;
    }

    // [any] As backplane_address_space says.
    [[nodiscard]] backplane_range find(std::uint64_t address) const;
    [[nodiscard]] std::uint64_t read(std::uint64_t address, std::uint32_t size);
    void write(std::uint64_t address, std::uint32_t size, std::uint64_t value);
    void read_block(std::uint64_t address, void* data, std::uint64_t length);
    void write_block(std::uint64_t address, const void* data, std::uint64_t length);
    std::uint32_t read_many(std::uint64_t address, std::uint32_t size, void* data,
                            std::uint32_t count);
    std::uint32_t write_many(std::uint64_t address, std::uint32_t size, const void* data,
                             std::uint32_t count);
    void watch_code(std::uint64_t page_address, bool watch);
    void claim_code_page(std::uint64_t page_address);
    void listen(const backplane_address_space_listener& listener);
    [[nodiscard]] std::uint64_t extent() const;

    // Host memory behind these bytes became clean, or tracked: pointers for writing must be asked
    // for again.
    void tell_remapped(std::span<const std::byte> memory);

    // What components connect to.
    static const backplane_address_space functions;

private:
    // One stretch of addresses that is reached in one way; null where nothing answers.
    struct Flat {
        std::uint64_t start, end;
        Mapping *reader, *writer;
    };

    void flatten();
    void add(Mapping mapping);
    void tell_remapped(std::uint64_t start, std::uint64_t length);
    [[nodiscard]] const Flat& flat(std::uint64_t address) const;
    [[nodiscard]] ObservedAccess observed(const Mapping& mapping, std::uint64_t offset,
                                          std::uint32_t size, std::uint32_t direction) const {
        return {events_, mapping.owner, offset - mapping.offset + mapping.base, size,
                kind_ | direction};
    }
    std::uint64_t read_window(Mapping& mapping, std::uint64_t offset, std::uint32_t size);
    void write_window(Mapping& mapping, std::uint64_t offset, std::uint32_t size,
                      std::uint64_t value);
    void add_watcher(std::uint64_t page);
    void tell_code_watched(std::uint64_t page, bool watch);
    void tell_code_written(std::uint64_t address, std::uint64_t length);
    void write_memory(const Mapping& mapping, std::uint64_t address, const void* data,
                      std::uint64_t length);

    std::string name_;
    std::uint64_t limit_;
    MachineLock& lock_;
    ExclusiveSection& exclusive_;
    const DirtyTracking& dirty_;
    MachineEvents* events_ = nullptr;
    std::uint32_t kind_ = BACKPLANE_ACCESS_MEMORY;
    std::vector<std::unique_ptr<Mapping>> mappings_;
    std::vector<Flat> flat_;
    // For small spaces (I/O ports): the index into flat_ of every address.
    std::vector<std::uint16_t> direct_;
    std::vector<backplane_address_space_listener> listeners_;

    // Pages of which CPUs keep code, by number; with the machine lock. While a page is not claimed,
    // no CPU but those that keep its code writes into it directly.
    struct CodePage {
        std::uint32_t watchers = 0;
        bool is_claimed = true;
    };
    std::unordered_map<std::uint64_t, CodePage> code_pages_;
};

}  // namespace backplane::runtime
