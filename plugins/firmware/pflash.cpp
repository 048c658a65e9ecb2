#include "pflash.h"

namespace backplane::firmware {

namespace {

constexpr std::uint64_t page = 4096, largest_size = 64 << 20;

}  // namespace

void Pflash::declare(Declaration<Pflash>& d) {
    d.type("firmware.pflash",
           "Flash memory with Intel's command set, for firmware and its variables");
    d.property("file", &Pflash::path_,
               "Host file with the contents, kept up with what changes; empty = the template's, "
               "and what changes is forgotten at the end");
    d.property("template", &Pflash::template_,
               "What the file is made from when it is not there yet");
    d.property("read-only", &Pflash::read_only_, "Nothing can be changed: all blocks are locked");
    d.property("end", &Pflash::end_, "The address behind its last byte")
        .range(std::uint64_t{1}, std::uint64_t{1} << 52);
    d.property("block-size", &Pflash::block_size_, "What is erased at once: 4 KiB to 1 MiB")
        .range(Bytes{page}, Bytes{1 << 20});
    d.property("width", &Pflash::width_, {"8", "16"}, "Bits of its data bus");
    d.address_space("memory", &Pflash::memory_, "Where it is seen");
    d.saved("mode", [](Pflash& flash) -> auto& { return flash.chip_.state().mode; });
    d.saved("status", [](Pflash& flash) -> auto& { return flash.chip_.state().status; });
    d.saved("command", [](Pflash& flash) -> auto& { return flash.chip_.state().command; });
    d.saved("command-offset",
            [](Pflash& flash) -> auto& { return flash.chip_.state().command_offset; });
    d.saved("awaited", [](Pflash& flash) -> auto& { return flash.chip_.state().awaited; });
    d.saved("has-offset", [](Pflash& flash) -> auto& { return flash.chip_.state().has_offset; });
    d.saved("buffer", [](Pflash& flash) -> auto& { return flash.chip_.state().buffer; });
    d.saved("locks", [](Pflash& flash) -> auto& { return flash.chip_.locks(); });
    d.saved("commands", &Pflash::commands_);
    d.saved("written-blocks", &Pflash::written_blocks_);
    d.counter("commands", &Pflash::commands_, "writes", "Write cycles of the guest");
    d.counter("written-blocks", &Pflash::written_blocks_, "blocks",
              "Changed blocks written to the file");
}

Outcome Pflash::start() {
    if (path_.empty() && template_.empty())
        return std::unexpected{std::string{"neither file nor template is given"}};
    const std::string file = (path_.empty() ? template_ : path_).string();
    if (auto opened = open(); !opened)
        return std::unexpected("file \"" + file + "\" " + opened.error());

    array_window_.struct_size = command_window_.struct_size = sizeof(backplane_window);
    array_window_.flags = BACKPLANE_WINDOW_READ_DIRECT;
    array_window_.memory = reinterpret_cast<std::uint8_t*>(array_.data());
    array_window_.access_sizes = command_window_.access_sizes = unit();
    array_window_.read = command_window_.read = thunk<&Pflash::read>;
    array_window_.write = command_window_.write = thunk<&Pflash::write>;
    place();
    if (!placement_) {
        return std::unexpected("file \"" + file + "\" does not fit: " +
                               std::to_string(array_.size()) + " bytes before its end");
    }
    return {};
}

Outcome Pflash::open() {
    auto file = path_.empty() ? FlashFile::open(template_, {}, FlashFile::Mode::ReadOnly)
                              : FlashFile::open(path_, template_,
                                                read_only_ ? FlashFile::Mode::ReadOnly
                                                           : FlashFile::Mode::ReadWrite);
    if (!file) return std::unexpected(file.error());
    file_ = std::move(*file);
    const std::uint64_t size = file_.size(), block = block_size_.value;
    if ((block & (block - 1)) != 0)
        return std::unexpected{std::string{"cannot be divided: block-size must be a power of two"}};
    if (size == 0 || size % block != 0 || size > largest_size ||
        size / block > FlashChip::most_blocks) {
        return std::unexpected("has " + std::to_string(size) + " bytes; flash memory has 1 to " +
                               std::to_string(FlashChip::most_blocks) + " blocks of " +
                               std::to_string(block) + " bytes, and at most 64 MiB");
    }
    if (size > end_) return std::unexpected{std::string{"does not fit below its end"}};
    auto* memory = static_cast<std::byte*>(host().allocate_memory(host().context, size));
    if (memory == nullptr)
        return std::unexpected("does not fit into the host's memory: " + std::to_string(size) +
                               " bytes");
    array_ = {memory, size};
    if (auto done = file_.read(array_); !done) return done;
    chip_.attach(array_, static_cast<std::uint32_t>(block), unit());
    if (read_only_) chip_.protect();
    return {};
}

void Pflash::reset(ResetKind kind) {
    if (kind == ResetKind::PowerOn) chip_.locks().fill(0);
    chip_.reset();
    write_back();
    place();
}

void Pflash::restored() {
    if (!chip_.is_consistent()) {
        log(LogLevel::Warning, "the saved state of the flash memory is damaged");
        chip_.reset();
    }
    place();
}

void Pflash::stop() {
    write_back();
    if (!is_kept()) return;
    if (const auto done = file_.flush(); !done)
        log(LogLevel::Error, "file \"", path_.string(), "\" ", done.error());
}

// Whoever reads the contents does so directly, until a command wants to answer.
void Pflash::place() {
    placed_mode_ = chip_.mode();
    backplane_window& window = placed_mode_ == FlashChip::Mode::Array ? array_window_
                                                                      : command_window_;
    placement_.remove();
    placement_ = memory_.place({&window, this}, "flash memory",
                               {.address = end_ - array_.size(), .size = array_.size()});
}

std::uint64_t Pflash::read(std::uint64_t offset, std::uint32_t) {
    const std::uint64_t in_unit = offset % unit();
    return chip_.read(offset - in_unit) >> in_unit * 8;
}

void Pflash::write(std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
    ++commands_;
    // The other byte of a wider chip is all ones, and so not programmed.
    const std::uint64_t in_unit = offset % unit();
    if (size < unit()) value = in_unit == 0 ? value | 0xff00 : value << 8 | 0xff;
    chip_.write(offset - in_unit, static_cast<std::uint32_t>(value));
    if (chip_.mode() == placed_mode_) return;
    const bool to_array = chip_.mode() == FlashChip::Mode::Array;
    if (to_array) write_back();
    // Between the others nothing changes for the map.
    if (to_array || placed_mode_ == FlashChip::Mode::Array)
        place();
    else
        placed_mode_ = chip_.mode();
}

// What cannot be written stays in memory and is tried again.
void Pflash::write_back() {
    if (!is_kept()) return;
    const std::size_t size = block_size_.value;
    for (std::uint64_t block = 0; block < chip_.block_count(); ++block) {
        if (!chip_.take_change(block)) continue;
        const auto done = file_.write(block * size, array_.subspan(block * size, size));
        if (done) {
            ++written_blocks_;
            has_failed_ = false;
            continue;
        }
        chip_.put_back_change(block);
        if (!has_failed_)
            log(LogLevel::Error, "file \"", path_.string(), "\" ", done.error(),
                "; the guest's changes are kept in memory and written as soon as that works");
        has_failed_ = true;
        return;
    }
}

}  // namespace backplane::firmware
