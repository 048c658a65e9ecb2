// Lays out rows of text in aligned columns.
#pragma once

#include <string>
#include <vector>

namespace backplane::runtime {

// Every line starts with `indent` blanks; the last column is as wide as it needs to be. Columns
// that are empty in all rows are left out.
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows,
                                     std::size_t indent = 0);

}  // namespace backplane::runtime
