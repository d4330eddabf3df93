#include "ops/plan/weights.h"

namespace ingot::plan {

std::shared_ptr<const void> Weights::get(Key key, std::vector<Tensor> tensors,
                                         const std::function<std::shared_ptr<const void>()>& make) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) return found->second.packed;
  std::shared_ptr<const void> packed = make();
  for (const Tensor& tensor : tensors)
    if (tensor.defined()) packed_(tensor);
  entries_.emplace(std::move(key), Entry{std::move(tensors), packed});
  return packed;
}

}  // namespace ingot::plan
