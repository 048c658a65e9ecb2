// Values of several kinds to try statistics with, the same in each run.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

namespace backplane::measure::testing {

enum class Shape { Uniform, Normal, LongTail };

inline std::vector<double> random_values(Shape shape, std::size_t count, unsigned seed) {
    std::mt19937_64 random{seed};
    std::vector<double> values(count);
    for (double& value : values)
        switch (shape) {
        case Shape::Uniform: value = std::uniform_real_distribution{1.0, 1e6}(random); break;
        case Shape::Normal: value = std::normal_distribution{16'667.0, 500.0}(random); break;
        case Shape::LongTail: value = std::lognormal_distribution{8.0, 2.0}(random); break;
        }
    return values;
}

}  // namespace backplane::measure::testing
