#include "interp/block_table.h"

#include <utility>

namespace backplane::interp {

void BlockTable::insert(Block& block) {
    ++count_;
    if (count_ > entries_.size() / 8 * 5) grow();
    place({tag_of(block), &block});
}

void BlockTable::place(const Entry& entry) {
    std::size_t i = home(entry.tag);
    while (entries_[i].block)
        i = next(i);
    entries_[i] = entry;
}

void BlockTable::grow() {
    ++bits_;
    for (const Entry& entry : std::exchange(entries_, decltype(entries_)(std::size_t{1} << bits_)))
        if (entry.block) place(entry);
}

// What comes behind moves up, as far as it does not come in front of its home by that.
void BlockTable::remove(const Block& block) {
    std::size_t hole = home(tag_of(block));
    while (entries_[hole].block != &block)
        hole = next(hole);
    const std::size_t mask = entries_.size() - 1;
    for (std::size_t i = next(hole); entries_[i].block; i = next(i)) {
        const std::size_t from_home = (i - home(entries_[i].tag)) & mask;
        if (from_home < ((i - hole) & mask)) continue;
        entries_[std::exchange(hole, i)] = entries_[i];
    }
    entries_[hole] = {};
    --count_;
}

}  // namespace backplane::interp
