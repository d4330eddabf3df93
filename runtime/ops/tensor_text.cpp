// Tensors as PyTorch prints them with its default options (torch/_tensor_str.py).
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>

#include <ingot/check.h>
#include "ops/text.h"

namespace ingot {
namespace {

constexpr int64_t kThreshold = 1000;  // more elements are summarised
constexpr int64_t kEdge = 3;
constexpr size_t kLineWidth = 80;
constexpr std::string_view kPrefix = "tensor(";

std::string formatted(const char* format, double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[400];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

// One notation for all elements: integers with a point, four decimals, or an exponent.
class FloatFormat {
 public:
  explicit FloatFormat(const std::vector<double>& values) {
    double least = INFINITY;
    double most = 0;
    for (const double value : values) {
      if (value == 0 || !std::isfinite(value)) continue;
      whole_ = whole_ && value == std::ceil(value);
      least = std::min(least, std::fabs(value));
      most = std::max(most, std::fabs(value));
    }
    if (most == 0) return;
    exponent_ = most / least > 1000 || most > 1e8 || (!whole_ && least < 1e-4);
    for (const double value : values)
      if (value != 0 && std::isfinite(value)) width_ = std::max(width_, text(value).size());
  }

  size_t width() const { return width_; }
  std::string operator()(double value) const {
    const std::string plain = text(value);
    return std::string(width_ > plain.size() ? width_ - plain.size() : 0, ' ') + plain;
  }

 private:
  std::string text(double value) const {
    if (exponent_) return formatted("%.4e", value);
    if (!whole_) return formatted("%.4f", value);
    return formatted("%.0f", value) + (std::isfinite(value) ? "." : "");
  }
  bool whole_ = true;
  bool exponent_ = false;
  size_t width_ = 1;
};

// The numbers of the positions that are shown along a dimension; -1 stands for "...".
std::vector<int64_t> shown(int64_t size, bool summarize) {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < size; ++i) {
    if (summarize && size > 2 * kEdge && i == kEdge) {
      places.push_back(-1);
      i = size - kEdge;
    }
    places.push_back(i);
  }
  return places;
}

class Printer {
 public:
  explicit Printer(const Tensor& tensor)
      : tensor_(tensor.contiguous()), summarize_(tensor.numel() > kThreshold) {
    if (is_complex(tensor.dtype()))
      complex_ = tensor_.to(DType::c128);
    else if (is_integral(tensor.dtype()) || tensor.dtype() == DType::boolean)
      whole_ = tensor_.to(DType::i64);
    else
      real_ = tensor_.to(DType::f64);
    texts();
  }

  std::string text() {
    size_t next = 0;
    return block(0, kPrefix.size(), next);
  }

 private:
  // The offsets of the elements that are shown, in order.
  void offsets(int dim, int64_t base, std::vector<int64_t>& found) const {
    if (dim == tensor_.rank()) return found.push_back(base);
    for (const int64_t i : shown(tensor_.size(dim), summarize_))
      if (i >= 0) offsets(dim + 1, base * tensor_.size(dim) + i, found);
  }

  void texts() {
    std::vector<int64_t> places;
    offsets(0, 0, places);
    if (whole_.defined()) {
      const bool boolean = tensor_.dtype() == DType::boolean;
      size_t width = 1;
      for (const int64_t at : places) {
        const int64_t value = whole_.data<int64_t>()[at];
        texts_.push_back(boolean ? (value ? "True" : "False") : std::to_string(value));
        width = std::max(width, texts_.back().size());
      }
      for (std::string& each : texts_) each.insert(0, width - each.size(), ' ');
      width_ = width;
      return;
    }
    std::vector<double> values;
    std::vector<double> imaginary;
    for (const int64_t at : places) {
      if (complex_.defined()) {
        const auto value = complex_.data<std::complex<double>>()[at];
        values.push_back(value.real());
        imaginary.push_back(value.imag());
      } else {
        values.push_back(real_.data<double>()[at]);
      }
    }
    const FloatFormat format(values);
    width_ = format.width();
    if (complex_.defined()) {
      const FloatFormat second(imaginary);
      width_ += second.width() + 1;
      for (size_t i = 0; i < values.size(); ++i) {
        std::string imag = second(imaginary[i]) + "j";
        imag.erase(0, imag.find_first_not_of(' '));
        texts_.push_back(format(values[i]) + (imag[0] == '-' || imag[0] == '+' ? "" : "+") + imag);
      }
      return;
    }
    for (const double value : values) texts_.push_back(format(value));
  }

  std::string block(int dim, size_t indent, size_t& next) const {
    const int rank = tensor_.rank() - dim;
    if (rank == 0) return texts_[next++];
    if (rank == 1) return line(dim, indent, next);
    std::string out = "[";
    for (const int64_t i : shown(tensor_.size(dim), summarize_)) {
      if (out.size() > 1) {
        out += ",";
        out.append(static_cast<size_t>(rank - 1), '\n');
        out.append(indent + 1, ' ');
      }
      out += i < 0 ? "..." : block(dim + 1, indent + 1, next);
    }
    return out + "]";
  }

  std::string line(int dim, size_t indent, size_t& next) const {
    const size_t room = kLineWidth > indent ? kLineWidth - indent : 0;
    const size_t per_line = std::max<size_t>(1, room / (width_ + 2));
    std::string out = "[";
    size_t count = 0;
    for (const int64_t i : shown(tensor_.size(dim), summarize_)) {
      if (count > 0) {
        out += ",";
        if (count % per_line == 0)
          out += "\n" + std::string(indent + 1, ' ');
        else
          out += " ";
      }
      out += i < 0 ? " ..." : texts_[next++];
      ++count;
    }
    return out + "]";
  }

  Tensor tensor_;
  Tensor real_;
  Tensor whole_;
  Tensor complex_;
  bool summarize_;
  size_t width_ = 1;
  std::vector<std::string> texts_;
};

std::string_view torch_name(DType dtype) {
  switch (dtype) {
    case DType::boolean: return "torch.bool";
    case DType::u8: return "torch.uint8";
    case DType::i8: return "torch.int8";
    case DType::i16: return "torch.int16";
    case DType::i32: return "torch.int32";
    case DType::i64: return "torch.int64";
    case DType::f16: return "torch.float16";
    case DType::bf16: return "torch.bfloat16";
    case DType::f32: return "torch.float32";
    case DType::f64: return "torch.float64";
    case DType::c64: return "torch.complex64";
    case DType::c128: return "torch.complex128";
  }
  return "?";
}

}  // namespace

std::string tensor_text(const Tensor& tensor) {
  if (!tensor.has_data()) return tensor.describe();
  std::vector<std::string> suffixes;
  std::string out(kPrefix);
  const DType dtype = tensor.dtype();
  const bool empty = tensor.numel() == 0;
  const bool usual =
      dtype == DType::f32 ||
      (!empty && (dtype == DType::i64 || dtype == DType::boolean || dtype == DType::c64));
  if (empty) {
    out += "[]";
    if (tensor.rank() != 1) {
      std::string sizes;
      for (int d = 0; d < tensor.rank(); ++d) sizes += concat(d > 0 ? ", " : "", tensor.size(d));
      suffixes.push_back(concat("size=(", sizes, ")"));
    }
  } else {
    out += Printer(tensor).text();
  }
  if (!usual) suffixes.push_back(concat("dtype=", torch_name(dtype)));
  const size_t break_at = out.rfind('\n');
  size_t line = break_at == std::string::npos ? out.size() + 2 : out.size() - break_at + 1;
  for (const std::string& suffix : suffixes) {
    if (line + suffix.size() + 2 > kLineWidth) {
      out += ",\n" + std::string(kPrefix.size(), ' ') + suffix;
      line = kPrefix.size() + suffix.size();
    } else {
      out += ", " + suffix;
      line += suffix.size() + 2;
    }
  }
  return out + ")";
}

}  // namespace ingot
