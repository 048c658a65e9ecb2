// Remembers translations: a direct-mapped first level that engines look into inline, and a larger
// second level behind.
#pragma once

#include "x86/paging.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace backplane::x86 {

// A page reached without any check but one comparison. The tags are page addresses; an access of n
// bytes at `linear` hits when ((linear + n - 1) & page mask) equals the tag found through `linear`:
// then it lies within the page. Or, the same in fewer instructions for compiled code, when
// linear - tag is at most page_size - n.
struct FastPage {
    std::uint64_t read_tag = 0;
    // also no tag for ROM, clean pages and pages that hold translated code
    std::uint64_t write_tag = 0;
    std::uint64_t addend = 0;  // host address minus linear address
    std::uint64_t host = 0;    // of the page's first byte
};

constexpr std::size_t fast_pages = 4096;

// In columns: an index of elements of 8 bytes is what the fewest instructions make of an address.
struct FastPages {
    // What belongs together is not in the same set of the host's first cache.
    struct Column {
        std::array<std::uint64_t, fast_pages> of;
        std::array<std::byte, 320> apart;
    };
    Column read_tags, write_tags, addends, hosts;

    FastPage operator[](std::size_t index) const {
        return {read_tags.of[index], write_tags.of[index], addends.of[index], hosts.of[index]};
    }
    void set(std::size_t index, const FastPage& page) {
        read_tags.of[index] = page.read_tag;
        write_tags.of[index] = page.write_tag;
        addends.of[index] = page.addend;
        hosts.of[index] = page.host;
    }
};

constexpr std::size_t fast_index(std::uint64_t linear) {
    return (linear >> page_shift) & (fast_pages - 1);
}

// What no access that looks there finds: a page that is half of the table away.
constexpr std::uint64_t no_page_tag(std::size_t index) {
    return static_cast<std::uint64_t>(index ^ (fast_pages / 2)) << page_shift;
}
constexpr std::uint64_t no_page_tag_for(std::uint64_t linear) {
    return no_page_tag(fast_index(linear));
}

// Copies of pages in the first level, each in one of a few slots: whoever knows from the
// instruction which slot an address is likely in compares it with that, before any index is
// computed.
class RecentPages {
public:
    static constexpr std::size_t slots = 32;

    // In the second half of 512 bytes: see interp::Core.
    struct alignas(512) Row {
        std::array<std::byte, 256> apart;
        std::array<std::uint64_t, slots> slot;
    };
    Row read_tags, write_tags, hosts;

    RecentPages() { forget(); }

    void forget() {
        read_tags.slot.fill(nowhere);
        write_tags.slot.fill(nowhere);
        hosts.slot.fill(reinterpret_cast<std::uint64_t>(nobodys_memory.data()));
    }
    void forget_page(std::uint64_t tag) {
        // Mostly it is not there, which a loop without branches finds faster.
        unsigned found = 0;
        for (std::size_t i = 0; i < slots; ++i)
            found |= unsigned{read_tags.slot[i] == tag} | unsigned{write_tags.slot[i] == tag};
        if (found == 0) return;
        for (std::size_t i = 0; i < slots; ++i)
            if (read_tags.slot[i] == tag || write_tags.slot[i] == tag)
                read_tags.slot[i] = write_tags.slot[i] = nowhere;
    }

private:
    // No canonical address is near it, and no other one that a program would try. Who does so all
    // the same finds memory that is nobody's.
    static constexpr std::uint64_t nowhere = 0x5b3a'91c4'e6d7'2000;
    static inline std::array<std::byte, page_offset_mask + 1> nobodys_memory{};
};

// One for each privilege. Keeps track of what is in it, so that the frequent flushes touch little.
class FastTlb {
public:
    FastPages pages;

    FastTlb() {
        for (std::size_t index = 0; index < fast_pages; ++index)
            forget(index);
    }

    // `shift` is that of the guest's page, of which this one may be a part.
    void fill(std::uint64_t linear, const FastPage& page, bool global, unsigned shift) {
        const std::size_t index = fast_index(linear);
        pages.set(index, page);
        shifts_[index] = static_cast<std::uint8_t>(shift);
        if (!global) mark(non_global_, index);
        if (shift != page_shift) {
            mark(large_, index);
            mark(large_pages_, hash(linear, shift));
        }
        mark(filled_, index);
    }

    void flush() {
        drop(filled_);
        clear(non_global_);
        clear(large_);
        clear(large_pages_);
    }
    void flush_non_global() { drop(non_global_); }

    // True: other pages besides this one may be gone.
    bool flush_page(std::uint64_t linear) {
        const std::size_t index = fast_index(linear);
        const std::uint64_t tag = linear & ~page_offset_mask;
        if (place_of(index) == tag) forget(index);
        // SDM 3A 4.10.4.1: every part of a large page goes.
        const bool may_be_large = std::ranges::any_of(large_page_shifts, [&](unsigned shift) {
            return is_marked(large_pages_, hash(linear, shift));
        });
        if (!may_be_large) return false;
        for_each(large_, [&](std::size_t part) {
            if (((place_of(part) ^ linear) >> shifts_[part]) == 0) forget(part);
        });
        return true;
    }

    // Writes to the page at this host address must be seen from now on.
    void protect(std::uint64_t host_page) {
        for_each(filled_, [&](std::size_t index) {
            if (pages.hosts.of[index] == host_page) pages.write_tags.of[index] = no_page_tag(index);
        });
    }

private:
    static constexpr unsigned large_page_shifts[]{21, 22, 30};  // SDM 3A table 4-1

    using Set = std::array<std::uint64_t, fast_pages / 64>;

    static void mark(Set& set, std::size_t index) {
        set[index / 64] |= std::uint64_t{1} << (index % 64);
    }
    static bool is_marked(const Set& set, std::size_t index) {
        return set[index / 64] >> (index % 64) & 1;
    }
    static void clear(Set& set) { set = {}; }

    static std::size_t hash(std::uint64_t linear, unsigned shift) {
        return ((linear >> shift) * 31 + shift) % fast_pages;
    }

    template <class F>
    static void for_each(const Set& set, F f) {
        for (std::size_t word = 0; word < set.size(); ++word)
            for (std::uint64_t left = set[word]; left != 0; left &= left - 1)
                f(word * 64 + static_cast<std::size_t>(std::countr_zero(left)));
    }

    void forget(std::size_t index) {
        pages.set(index, {.read_tag = no_page_tag(index), .write_tag = no_page_tag(index)});
    }

    void drop(Set& set) {
        for_each(set, [this](std::size_t index) { forget(index); });
        clear(set);
    }

    // The linear address of the page there.
    std::uint64_t place_of(std::size_t index) const {
        const std::uint64_t read = pages.read_tags.of[index];
        return read != no_page_tag(index) ? read : pages.write_tags.of[index];
    }

    // `large_` and `non_global_` may name entries that have been filled anew since: harmless.
    Set filled_{}, non_global_{}, large_{};
    // By hash, the large pages of which there may be parts.
    Set large_pages_{};
    std::array<std::uint8_t, fast_pages> shifts_{};
};

// 2048 sets of 4 ways for 4 KiB pages and 32 entries for larger ones. Flushing changes a stamp and
// touches no entry; each context has a stamp of its own.
class SecondLevelTlb {
public:
    // Null when the page is not known. The permissions are the caller's to check.
    const PageTranslation* find(std::uint64_t linear) const {
        const std::uint64_t page = linear >> page_shift;
        const Entry& recent = large_[recent_large_];
        if (recent.page == linear >> recent.translation.shift && is_live(recent))
            return &recent.translation;
        for (const Entry& entry : small_[page & (sets - 1)])
            if (entry.page == page && is_live(entry)) return &entry.translation;
        if (large_in_use_ == 0) return nullptr;
        for (std::size_t i = 0; i < large_in_use_; ++i) {
            const Entry& entry = large_[i];
            if (entry.page == linear >> entry.translation.shift && is_live(entry)) {
                recent_large_ = i;
                return &entry.translation;
            }
        }
        return nullptr;
    }

    void insert(std::uint64_t linear, const PageTranslation& translation) {
        const Entry entry{linear >> translation.shift,
                          translation.global ? global_stamp_ : local_stamp_,
                          static_cast<std::uint16_t>(context_), translation};
        if (translation.shift == page_shift) {
            auto& set = small_[entry.page & (sets - 1)];
            place(set, entry, next_way_++ % ways);
            return;
        }
        if (large_in_use_ < large_.size()) ++large_in_use_;
        place(large_, entry, next_large_++ % large_.size());
    }

    void flush() {
        global_stamp_ = ++last_stamp_;
        if (other_contexts_) stamps_.fill(0);
        other_contexts_ = false;
        context_ = 0;
        flush_non_global();
        large_in_use_ = 0;
        next_large_ = 0;
    }
    void flush_non_global() { stamps_[context_] = local_stamp_ = ++last_stamp_; }

    // From now on what is not global belongs to this process-context identifier (SDM 3A 4.10.1).
    void select(std::uint64_t context) {
        context_ = context;
        other_contexts_ |= context != 0;
        local_stamp_ = stamps_[context] ? stamps_[context] : ++last_stamp_;
        stamps_[context] = local_stamp_;
    }

    // True when the address was covered by a large page: its other parts may be in the first level.
    bool flush_page(std::uint64_t linear) {
        const std::uint64_t page = linear >> page_shift;
        for (Entry& entry : small_[page & (sets - 1)])
            if (entry.page == page) entry.stamp = 0;
        bool large = false;
        for (Entry& entry : large_) {
            if (entry.stamp == 0 || entry.page != linear >> entry.translation.shift) continue;
            entry.stamp = 0;
            large = true;
        }
        return large;
    }

private:
    static constexpr std::size_t sets = 2048, ways = 4;

    // Valid while its stamp is the current one of its kind; 0 never is.
    struct Entry {
        std::uint64_t page = ~std::uint64_t{0};
        std::uint64_t stamp = 0;
        std::uint16_t context = 0;
        PageTranslation translation;
    };

    bool is_live(const Entry& entry) const {
        return entry.stamp == (entry.translation.global ? global_stamp_ : local_stamp_);
    }

    // Of no use to another context either.
    bool is_dead(const Entry& entry) const {
        return entry.stamp == 0 ||
               entry.stamp != (entry.translation.global ? global_stamp_ : stamps_[entry.context]);
    }

    // In the place of the same page, of one that is known no more, or of any.
    template <class Entries>
    void place(Entries& entries, const Entry& entry, std::size_t victim) {
        for (Entry& old : entries)
            if (old.page == entry.page && old.translation.shift == entry.translation.shift &&
                is_live(old)) {
                old = entry;
                return;
            }
        for (Entry& old : entries)
            if (is_dead(old)) {
                old = entry;
                return;
            }
        entries[victim] = entry;
    }

    std::array<std::array<Entry, ways>, sets> small_{};
    std::array<Entry, 32> large_{};
    std::size_t large_in_use_ = 0, next_way_ = 0, next_large_ = 0;
    mutable std::size_t recent_large_ = 0;  // a kernel's own mapping, mostly
    // Of the current context and of all; 0: nothing of that context is remembered.
    std::array<std::uint64_t, 4096> stamps_{1};
    bool other_contexts_ = false;
    std::uint64_t context_ = 0, last_stamp_ = 2, local_stamp_ = 1, global_stamp_ = 2;
};

}  // namespace backplane::x86
