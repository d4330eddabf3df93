// Weights rearranged for kernels: those of the program are made once per module, shared by all
// plans and threads; those that a plan computes are its own.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <type_traits>
#include <vector>

#include <ingot/tensor.h>

namespace ingot::plan {

class Weights {
 public:
  // `packed(tensor)` is told of tensors whose elements were copied into another form.
  explicit Weights(void (*packed)(const Tensor& tensor)) : packed_(packed) {}
  // For the time in which one plan is made. Tensors of the program are read-only; what is made of
  // them alone is kept in `shared`, all else goes with the plan.
  explicit Weights(Weights& shared) : shared_(&shared) {}

  // What tells one rearrangement from another: the kind, the tensors, further numbers.
  struct Key {
    Key(const void* kind, std::span<const Tensor> tensors, std::vector<int64_t> numbers);
    auto operator<=>(const Key&) const = default;

    const void* kind;
    std::vector<const void*> addresses;
    std::vector<int64_t> numbers;  // with the tensors' dtypes, sizes and strides
  };

  // The address of `kKind<T>` names a rearrangement into a T.
  template <class T>
  static constexpr char kKind = 0;

  // What `make` gave for these tensors, which may be undefined, and numbers the first time. The
  // tensors are kept alive. Other threads wait while one makes.
  template <class T, class Make>
  std::shared_ptr<const T> get(std::vector<Tensor> tensors, std::vector<int64_t> numbers,
                               Make&& make) {
    Weights& home = shared_ && of_program(tensors) ? *shared_ : *this;
    Key key(&kKind<T>, tensors, std::move(numbers));
    return std::static_pointer_cast<const T>(
        home.get(std::move(key), std::move(tensors), [&]() -> std::shared_ptr<const void> {
          auto made = make();
          if constexpr (std::is_same_v<T, Tensor>)
            if (!home.shared_) made->storage()->writable = false;
          return made;
        }));
  }

 private:
  static bool of_program(std::span<const Tensor> tensors);
  std::shared_ptr<const void> get(Key key, std::vector<Tensor> tensors,
                                  const std::function<std::shared_ptr<const void>()>& make);

  struct Entry {
    std::vector<Tensor> tensors;
    std::shared_ptr<const void> packed;
  };
  void (*packed_)(const Tensor& tensor) = nullptr;
  Weights* shared_ = nullptr;
  std::mutex mutex_;
  std::map<Key, Entry> entries_;
};

}  // namespace ingot::plan
