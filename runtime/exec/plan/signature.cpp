#include "exec/plan/signature.h"

#include <bit>
#include <cstring>

namespace ingot {
namespace {

int64_t head_of(const Tensor& tensor) {
  return static_cast<int64_t>(Tag::tensor) | static_cast<int64_t>(tensor.dtype()) << 8 |
         static_cast<int64_t>(tensor.rank()) << 16 |
         static_cast<int64_t>(tensor.is_contiguous()) << 24;
}

int64_t head_of(Tag tag, size_t count = 0) {
  return static_cast<int64_t>(tag) | static_cast<int64_t>(count) << 8;
}

// Calls word(w) for each word of the value's description until one call gives false.
template <class Word>
bool for_each_word(const Value& value, Word&& word) {
  switch (value.tag()) {
    case Tag::tensor: {
      const Tensor& tensor = value.tensor();
      if (!word(head_of(tensor))) return false;
      for (const int64_t size : tensor.sizes())
        if (!word(size)) return false;
      if (tensor.is_contiguous()) return true;
      for (const int64_t stride : tensor.strides())
        if (!word(stride)) return false;
      return true;
    }
    case Tag::none: return word(head_of(Tag::none));
    case Tag::boolean: return word(head_of(Tag::boolean)) && word(value.to_bool());
    case Tag::integer: return word(head_of(Tag::integer)) && word(value.to_int());
    case Tag::floating:
      return word(head_of(Tag::floating)) && word(std::bit_cast<int64_t>(value.to_double()));
    case Tag::complex: {
      const std::complex<double> number = value.to_complex();
      return word(head_of(Tag::complex)) && word(std::bit_cast<int64_t>(number.real())) &&
             word(std::bit_cast<int64_t>(number.imag()));
    }
    case Tag::string: {
      const std::string_view text = value.to_string();
      if (!word(head_of(Tag::string, text.size()))) return false;
      for (size_t i = 0; i < text.size(); i += sizeof(int64_t)) {
        int64_t part = 0;
        std::memcpy(&part, text.data() + i, std::min(sizeof(part), text.size() - i));
        if (!word(part)) return false;
      }
      return true;
    }
    case Tag::list:
    case Tag::tuple: {
      const auto& elements = value.is_list() ? value.to_list().elements : value.to_tuple().elements;
      if (!word(head_of(value.tag(), elements.size()))) return false;
      for (const Value& element : elements)
        if (!for_each_word(element, word)) return false;
      return true;
    }
    case Tag::dict: {
      if (!word(head_of(Tag::dict, value.to_dict().items().size()))) return false;
      for (const auto& [key, item] : value.to_dict().items())
        if (!for_each_word(key, word) || !for_each_word(item, word)) return false;
      return true;
    }
    case Tag::instance: return false;
  }
  return false;
}

}  // namespace

Signature::Signature(const Value* registers, std::span<const int32_t> which) {
  for (const int32_t input : which)
    complete_ = complete_ && for_each_word(registers[input], [&](int64_t w) {
                  words_.push_back(w);
                  return true;
                });
}

bool Signature::matches(const Value* registers, std::span<const int32_t> which) const {
  const int64_t* at = words_.data();
  const int64_t* const end = at + words_.size();
  for (const int32_t input : which)
    if (!for_each_word(registers[input], [&](int64_t w) { return at != end && *at++ == w; }))
      return false;
  return at == end;
}

uint64_t Signature::hash() const {
  uint64_t hash = words_.size();
  for (const int64_t w : words_) {
    hash = (hash ^ static_cast<uint64_t>(w)) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace ingot
