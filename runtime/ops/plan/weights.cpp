#include "ops/plan/weights.h"

#include <algorithm>

namespace ingot::plan {

Weights::Key::Key(const void* kind_of, std::span<const Tensor> tensors,
                  std::vector<int64_t> further)
    : kind(kind_of), numbers(std::move(further)) {
  for (const Tensor& tensor : tensors) {
    addresses.push_back(tensor.defined() ? tensor.data() : nullptr);
    if (!tensor.defined()) continue;
    numbers.push_back(static_cast<int64_t>(tensor.dtype()));
    numbers.push_back(tensor.rank());
    numbers.insert(numbers.end(), tensor.sizes().begin(), tensor.sizes().end());
    numbers.insert(numbers.end(), tensor.strides().begin(), tensor.strides().end());
  }
}

bool Weights::of_program(std::span<const Tensor> tensors) {
  return std::none_of(tensors.begin(), tensors.end(),
                      [](const Tensor& tensor) { return tensor.defined() && tensor.writable(); });
}

std::shared_ptr<const void> Weights::get(Key key, std::vector<Tensor> tensors,
                                         const std::function<std::shared_ptr<const void>()>& make) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) return found->second.packed;
  std::shared_ptr<const void> packed = make();
  for (const Tensor& tensor : tensors)
    if (tensor.defined() && packed_) packed_(tensor);
  entries_.emplace(std::move(key), Entry{std::move(tensors), packed});
  return packed;
}

}  // namespace ingot::plan
