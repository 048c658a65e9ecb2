#include "measure/running_moments.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace backplane::measure {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void RunningMoments::add(double value) {
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    ++count_;
    const double distance = value - mean_;
    mean_ += distance / static_cast<double>(count_);
    squares_ += distance * (value - mean_);
    add_to_sum(value);
}

// Chan, Golub and LeVeque's rule for two parts.
void RunningMoments::merge(const RunningMoments& other) {
    if (other.count_ == 0) return;
    if (count_ == 0) {
        *this = other;
        return;
    }
    const auto mine = static_cast<double>(count_), theirs = static_cast<double>(other.count_);
    const double distance = other.mean_ - mean_;
    mean_ += distance * theirs / (mine + theirs);
    squares_ += other.squares_ + distance * distance * mine * theirs / (mine + theirs);
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    add_to_sum(other.sum_);
    lost_ += other.lost_;
}

void RunningMoments::add_to_sum(double value) {
    const double sum = sum_ + value;
    lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
    sum_ = sum;
}

double RunningMoments::mean() const { return count_ == 0 ? none : mean_; }
double RunningMoments::min() const { return count_ == 0 ? none : min_; }
double RunningMoments::max() const { return count_ == 0 ? none : max_; }

double RunningMoments::population_variance() const {
    return count_ == 0 ? none : squares_ / static_cast<double>(count_);
}

double RunningMoments::sample_variance() const {
    return count_ < 2 ? none : squares_ / static_cast<double>(count_ - 1);
}

double RunningMoments::population_stdev() const { return std::sqrt(population_variance()); }
double RunningMoments::sample_stdev() const { return std::sqrt(sample_variance()); }
double RunningMoments::population_cv() const { return relative(population_stdev()); }
double RunningMoments::sample_cv() const { return relative(sample_stdev()); }

double RunningMoments::relative(double deviation) const {
    return mean_ == 0 ? none : deviation / std::abs(mean_);
}

}  // namespace backplane::measure
