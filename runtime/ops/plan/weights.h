// Weights rearranged for kernels: made once per module, shared by all plans and threads.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <ingot/tensor.h>

namespace ingot::plan {

class Weights {
 public:
  // `packed(tensor)` is told of tensors whose elements were copied into another form.
  explicit Weights(void (*packed)(const Tensor& tensor)) : packed_(packed) {}

  // What tells one rearrangement from another: the kind, the tensors, further numbers.
  struct Key {
    const void* kind;
    std::vector<const void*> tensors;
    std::vector<int64_t> numbers;
    auto operator<=>(const Key&) const = default;
  };

  // The address of `kKind<T>` names a rearrangement into a T.
  template <class T>
  static constexpr char kKind = 0;

  // What `make` gave for this key the first time. The tensors are kept alive. Other threads wait
  // while one makes.
  template <class T, class Make>
  std::shared_ptr<const T> get(std::vector<Tensor> tensors, std::vector<int64_t> numbers,
                               Make&& make) {
    Key key{&kKind<T>, {}, std::move(numbers)};
    for (const Tensor& tensor : tensors)
      key.tensors.push_back(tensor.defined() ? tensor.data() : nullptr);
    return std::static_pointer_cast<const T>(
        get(std::move(key), std::move(tensors),
            [&]() -> std::shared_ptr<const void> { return make(); }));
  }

 private:
  std::shared_ptr<const void> get(Key key, std::vector<Tensor> tensors,
                                  const std::function<std::shared_ptr<const void>()>& make);

  struct Entry {
    std::vector<Tensor> tensors;
    std::shared_ptr<const void> packed;
  };
  void (*packed_)(const Tensor& tensor);
  std::mutex mutex_;
  std::map<Key, Entry> entries_;
};

}  // namespace ingot::plan
