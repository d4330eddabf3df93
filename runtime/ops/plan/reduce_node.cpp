#include "ops/plan/reduce_node.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "kernels/rows_f32.h"
#include "ops/plan/tile_program.h"

namespace ingot::plan {
namespace {

using Kind = ReduceNode::Kind;

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;
constexpr int64_t kPiece = 1 << 16;

// The state of one row's reduction.
class Reducer {
 public:
  explicit Reducer(Kind kind)
      : kind_(kind),
        extreme_(kind == Kind::largest ? -std::numeric_limits<float>::infinity()
                                       : std::numeric_limits<float>::infinity()) {}

  void add(const float* x, int64_t count) {
    if (kind_ == Kind::sum || kind_ == Kind::mean) {
      sum_ += f32::sum(x, count);
    } else {
      meet(kind_ == Kind::largest ? f32::largest(x, count) : f32::smallest(x, count));
    }
  }

  void merge(const Reducer& other) {
    sum_ += other.sum_;
    meet(other.extreme_);
  }

  float result(int64_t width) const {
    if (kind_ == Kind::sum) return static_cast<float>(sum_);
    if (kind_ == Kind::mean) return static_cast<float>(sum_ / static_cast<double>(width));
    return extreme_;
  }

 private:
  // NaN stays.
  void meet(float next) {
    const bool replaces = kind_ == Kind::largest ? next > extreme_ : next < extreme_;
    if (std::isnan(next) || (replaces && !std::isnan(extreme_))) extreme_ = next;
  }

  Kind kind_;
  double sum_ = 0;
  float extreme_;
};

class ReduceStep final : public Step {
 public:
  ReduceStep(Kind kind, int64_t rows, int64_t width, Place in, Place out,
             std::unique_ptr<const TileProgram> chain)
      : kind_(kind), rows_(rows), width_(width), in_(in), out_(out), chain_(std::move(chain)) {}

  void run(const Memory& memory) const override {
    float* const out = memory.at<float>(out_);
    // Long rows are reduced in pieces whose number depends on nothing but their length.
    const int64_t pieces = (width_ + kPiece - 1) / kPiece;
    if (pieces > 1) {
      std::vector<Reducer> parts(static_cast<size_t>(rows_ * pieces), Reducer(kind_));
      parallel_for(0, rows_ * pieces, 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          const int64_t begin = i % pieces * kPiece;
          reduce(memory, i / pieces * width_ + begin, std::min(kPiece, width_ - begin),
                 parts[static_cast<size_t>(i)]);
        }
      });
      for (int64_t row = 0; row < rows_; ++row) {
        Reducer reducer(kind_);
        for (int64_t i = 0; i < pieces; ++i)
          reducer.merge(parts[static_cast<size_t>(row * pieces + i)]);
        out[row] = reducer.result(width_);
      }
      return;
    }
    const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(width_, 1));
    parallel_for(0, rows_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        Reducer reducer(kind_);
        reduce(memory, row * width_, width_, reducer);
        out[row] = reducer.result(width_);
      }
    });
  }

 private:
  void reduce(const Memory& memory, int64_t begin, int64_t count, Reducer& reducer) const {
    if (!chain_) return reducer.add(memory.at<const float>(in_) + begin, count);
    chain_->run_into(memory, begin, count, &reducer,
                     [](void* state, const void* tile, int64_t length) {
                       static_cast<Reducer*>(state)->add(static_cast<const float*>(tile), length);
                     });
  }

  Kind kind_;
  int64_t rows_;
  int64_t width_;
  Place in_;
  Place out_;
  std::unique_ptr<const TileProgram> chain_;
};

constexpr const char* kNames[] = {"sum", "mean", "amax", "amin"};

}  // namespace

std::vector<Tensor> ReduceNode::inputs() const {
  return chain_.empty() ? std::vector{in_} : inputs_of(chain_);
}

std::vector<Tensor> ReduceNode::outputs() const {
  std::vector<Tensor> tensors = {out_};
  for (const auto& node : chain_)
    if (node->stored) tensors.push_back(node->out);
  return tensors;
}

std::unique_ptr<Step> ReduceNode::make(Layout& layout) const {
  std::unique_ptr<const TileProgram> chain;
  if (!chain_.empty()) chain = std::make_unique<const TileProgram>(chain_, layout);
  const Place in = chain ? Place{} : layout.place(in_);
  return std::make_unique<ReduceStep>(kind_, out_.numel(), width_, in, layout.place(out_),
                                      std::move(chain));
}

std::string ReduceNode::describe() const {
  const char* const name = kNames[static_cast<size_t>(kind_)];
  return chain_.empty() ? name : describe_chain(chain_) + "+" + name;
}

Tensor record_reduction(Recorder& recorder, ReduceNode::Kind kind, const Tensor& self,
                        uint32_t dims, const Dims& sizes) {
  if (self.dtype() != DType::f32 || !self.is_contiguous() || self.rank() == 0 || dims == 0 ||
      self.numel() == 0)
    return {};
  int64_t width = 1;
  int first = self.rank();
  while (first > 0 && (dims >> (first - 1) & 1)) width *= self.size(--first);
  if (dims & ((uint32_t{1} << first) - 1)) return {};
  Tensor out = recorder.fresh(DType::f32, sizes);
  recorder.add(std::make_unique<ReduceNode>(kind, width, self, out));
  return out;
}

}  // namespace ingot::plan
