// Collects everything that is wrong with a machine, so that all of it can be reported at once.
#pragma once

#include "runtime/source_place.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace backplane::runtime {

enum class Severity { Warning, Error };

struct Diagnostic {
    struct Note {
        Place place;
        std::string message;  // "serial0.registers is mapped here"
    };

    Severity severity = Severity::Error;
    Place place;          // may be empty: no place in any file is to blame
    std::string message;  // "timer0.irq: ioapic0 has no input 31"
    std::string hint;     // beside the caret: "expected ioapic0.0 to ioapic0.23"; may be empty
    std::vector<Note> notes;
};

class Diagnostics {
public:
    // The reference is valid until the next call; add notes to it at once.
    Diagnostic& error(Place place, std::string message, std::string hint = {});
    Diagnostic& warning(Place place, std::string message, std::string hint = {});
    void add(Diagnostic diagnostic) { all_.push_back(std::move(diagnostic)); }

    [[nodiscard]] bool has_errors() const;
    [[nodiscard]] std::size_t count(Severity severity) const;
    // By file, line and column; the command line comes last.
    [[nodiscard]] std::vector<Diagnostic> sorted() const;

    // The whole report for people: every diagnostic with its source line and caret. Ends in a
    // newline unless empty.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] nlohmann::json json() const;

private:
    std::vector<Diagnostic> all_;
};

[[nodiscard]] std::string to_text(const Diagnostic& diagnostic);

}  // namespace backplane::runtime
