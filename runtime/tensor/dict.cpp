#include <complex>
#include <functional>

#include <ingot/value.h>

#include <ingot/check.h>

namespace ingot {

// Equal keys hash equally across bool, int, float and complex, as in Python. Tensors and
// instances are keys by identity.
size_t Dict::Hash::operator()(const Value& key) const {
  switch (key.tag()) {
    case Tag::boolean: return std::hash<double>()(key.to_bool());
    case Tag::integer: return std::hash<double>()(static_cast<double>(key.to_int()));
    case Tag::floating: return std::hash<double>()(key.to_double());
    case Tag::complex: {
      const std::complex<double> z = key.to_complex();
      const size_t real = std::hash<double>()(z.real());
      return z.imag() == 0 ? real : real * 1000003 ^ std::hash<double>()(z.imag());
    }
    case Tag::string: return std::hash<std::string_view>()(key.to_string());
    case Tag::none: return 0;
    case Tag::tensor: return std::hash<const void*>()(key.tensor().impl());
    case Tag::instance: return std::hash<const void*>()(key.object());
    case Tag::tuple: {
      size_t hash = 0;
      for (const Value& element : key.to_tuple().elements) hash = hash * 1000003 ^ (*this)(element);
      return hash;
    }
    default:
      fail(ErrorCode::invalid_argument, "a ", name_of(key.tag()),
           " cannot be a dict key: use bool, int, float, complex, str, None, a Tensor, an instance "
           "or a tuple of them");
  }
}

bool Dict::Equal::operator()(const Value& a, const Value& b) const { return equal(a, b); }

int64_t Dict::find(const Value& key) const {
  const auto at = index_.find(key);
  return at == index_.end() ? -1 : static_cast<int64_t>(at->second);
}

void Dict::set(const Value& key, Value value) {
  const auto [at, added] = index_.try_emplace(key, items_.size());
  if (added)
    items_.emplace_back(key, std::move(value));
  else
    items_[at->second].second = std::move(value);
}

bool Dict::erase(const Value& key) {
  const auto at = index_.find(key);
  if (at == index_.end()) return false;
  const size_t position = at->second;
  index_.erase(at);
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(position));
  for (size_t i = position; i < items_.size(); ++i) index_[items_[i].first] = i;
  return true;
}

void Dict::clear() {
  index_.clear();
  items_.clear();
}

}  // namespace ingot
