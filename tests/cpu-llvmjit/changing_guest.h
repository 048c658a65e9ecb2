// A guest that changes all the time what its code is and where: page tables, address spaces and
// code, of one processor or two. Made from a seed; every processor that executes it has to do the
// same.
//
// A list of records (what to do, and with what) is worked off several times by a few routines that
// never change. What changes is a window of pages, which show pages of code, of data or a device:
// each page of code has functions at the same places, which differ in their numbers, call each
// other, read and write the window, and so also code.
#pragma once

#include "test_processor.h"

#include <cstdint>
#include <random>
#include <vector>

namespace backplane::jit::testing {

class ChangingGuest {
public:
    ChangingGuest(std::uint64_t seed, unsigned processors);

    unsigned processors() const { return processors_; }
    // Into the memory; and the registers of each.
    void place(interp::testing::TestProcessor& machine) const;
    void start(interp::Interpreter& cpu, unsigned number) const;

    // What it may write: pages of code and data, and the tables.
    static constexpr std::uint64_t pages = 0x50'0000, pages_end = 0x5c'0000, tables = 0x5c'0000,
                                   tables_end = 0x60'0000;

private:
    static constexpr unsigned code_pages = 8, data_pages = 4, window_pages = 16, slots = 64,
                              slot_bytes = 64, roots = 3;
    // The window, with tables for 4 KiB pages; and 2 MiB behind it that are now one large page,
    // now small ones.
    static constexpr std::uint64_t window = 0x4000'0000, large = 0x4020'0000,
                                   large_target = 0x40'0000;
    // The same in all address spaces.
    static constexpr unsigned first_global = 12;
    static constexpr std::uint64_t records = 0x1c'0000, records_apart = 0x2'0000,
                                   stacks = 0x6c'0000;

    struct Record {
        std::uint64_t routine = 0, a = 0, b = 0, c = 0;
    };
    // Addresses of the routines.
    struct Routines {
        std::uint64_t store1, store4, store8, load8, add4, locked_add4, vector_copy, invlpg, call,
            call_and_look, load_cr3, toggle_global, invpcid, pointers, own_entry, copy, fill, again;
    };

    std::uint64_t random() { return generator_(); }
    unsigned pick(std::uint64_t count) { return static_cast<unsigned>(random() % count); }
    bool chance(unsigned percent) { return pick(100) < percent; }

    // What the pages of code have.
    void choose_layout();
    std::vector<std::uint8_t> make_page();
    void emit_function(std::vector<std::uint8_t>& page, unsigned slot);
    // The routines, and what handles exceptions.
    void make_routines();

    // The records of a processor.
    void make_records(unsigned processor);
    void add(std::uint64_t routine, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0) {
        lists_.back().push_back({routine, a, b, c});
    }
    void change_entries();
    void change_large();
    void change_code();
    void switch_root();
    void flush(std::uint64_t linear, unsigned root, bool global, bool any_size);
    void call_function();
    void access_data();
    std::uint64_t entry_value();
    std::uint64_t page_of_code();
    std::uint64_t root_of(unsigned root) const;
    std::uint64_t table_of(unsigned root) const { return root_of(root) + 0x3000; }
    std::uint64_t large_table_of(unsigned root) const { return root_of(root) + 0x4000; }
    std::uint64_t cr3_of(unsigned root) const { return root_of(root) | (pcid_ ? root + 1 : 0); }
    std::uint64_t some_address();

    std::mt19937_64 generator_;
    unsigned processors_;
    bool pcid_;
    unsigned processor_ = 0, root_ = 0;  // while records are made

    std::vector<unsigned> kinds_;         // of function, by slot
    std::vector<std::uint16_t> numbers_;  // where each has a number, in the page
    std::vector<std::vector<std::uint8_t>> code_;
    std::vector<std::uint8_t> routine_bytes_;
    Routines routines_{};
    std::vector<std::vector<Record>> lists_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> table_entries_;
};

}  // namespace backplane::jit::testing
