#include "tools/npy.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include <ingot/error.h>

namespace ingot {
namespace {

struct Descr {
  const char* text;
  DType dtype;
};
constexpr Descr kDescrs[] = {
    {"|b1", DType::boolean}, {"|u1", DType::u8},  {"|i1", DType::i8},    {"<i2", DType::i16},
    {"<i4", DType::i32},     {"<i8", DType::i64}, {"<f2", DType::f16},   {"<f4", DType::f32},
    {"<f8", DType::f64},     {"<c8", DType::c64}, {"<c16", DType::c128},
};

[[noreturn]] void bad(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::corrupt_file, path + " is not a readable .npy file: " + what);
}

// The text behind `'key': ` in the header's Python dict.
std::string field(const std::string& path, const std::string& header, const std::string& key) {
  const size_t at = header.find("'" + key + "':");
  if (at == std::string::npos) bad(path, "its header has no '" + key + "'");
  const size_t start = header.find_first_not_of(' ', at + key.size() + 3);
  if (start == std::string::npos) bad(path, "its header ends early");
  const char open = header[start];
  const size_t end = open == '(' ? header.find(')', start) : header.find_first_of(",}", start);
  if (end == std::string::npos) bad(path, "its header ends early");
  return header.substr(start, end - start);
}

}  // namespace

Tensor read_npy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, path + " cannot be opened: " + std::strerror(errno));
  char start[10];
  if (!file.read(start, sizeof start) || std::memcmp(start, "\x93NUMPY", 6) != 0)
    bad(path, "it does not begin with the NumPy signature");
  uint32_t length = static_cast<uint8_t>(start[8]) | static_cast<uint8_t>(start[9]) << 8;
  if (start[6] >= 2) {
    char more[2];
    if (!file.read(more, 2)) bad(path, "its header ends early");
    length |= static_cast<uint32_t>(static_cast<uint8_t>(more[0])) << 16 |
              static_cast<uint32_t>(static_cast<uint8_t>(more[1])) << 24;
  }
  if (length > 1 << 20) bad(path, "its header is too long");
  std::string header(length, '\0');
  if (!file.read(header.data(), length)) bad(path, "its header ends early");

  const std::string descr = field(path, header, "descr");
  std::optional<DType> dtype;
  for (const Descr& known : kDescrs)
    if (descr.find(known.text) != std::string::npos) dtype = known.dtype;
  if (!dtype) bad(path, "its dtype is " + descr);
  if (field(path, header, "fortran_order") != "False")
    bad(path, "it is in Fortran order; save numpy.ascontiguousarray(x)");

  std::vector<int64_t> sizes;
  const std::string shape = field(path, header, "shape");
  for (size_t at = 1; at < shape.size();) {
    const size_t digit = shape.find_first_of("0123456789", at);
    if (digit == std::string::npos) break;
    int64_t size;
    const auto [end, failed] =
        std::from_chars(shape.data() + digit, shape.data() + shape.size(), size);
    if (failed != std::errc()) bad(path, "its shape is " + shape);
    sizes.push_back(size);
    at = static_cast<size_t>(end - shape.data());
  }
  const auto data_start = file.tellg();
  file.seekg(0, std::ios::end);
  const auto available = static_cast<uint64_t>(file.tellg() - data_start);
  file.seekg(data_start);
  const auto bytes = static_cast<unsigned __int128>(numel_of(sizes)) * size_of(*dtype);
  if (bytes > available) bad(path, "its data ends early");
  Tensor tensor = Tensor::empty(*dtype, sizes);
  if (!file.read(static_cast<char*>(tensor.data()), static_cast<std::streamsize>(tensor.nbytes())))
    bad(path, "its data ends early");
  return tensor;
}

void write_npy(const std::string& path, const Tensor& tensor) {
  const Tensor data =
      tensor.dtype() == DType::bf16 ? tensor.to(DType::f32).contiguous() : tensor.contiguous();
  std::string header = "{'descr': '";
  for (const Descr& known : kDescrs)
    if (known.dtype == data.dtype()) header += known.text;
  header += "', 'fortran_order': False, 'shape': (";
  for (const int64_t size : data.sizes()) header += std::to_string(size) + ",";
  header += "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write("\x93NUMPY\x01\x00", 8);
  const char length[2] = {static_cast<char>(header.size() & 0xff),
                          static_cast<char>(header.size() >> 8)};
  file.write(length, 2);
  file << header;
  file.write(static_cast<const char*>(data.data()), static_cast<std::streamsize>(data.nbytes()));
  file.flush();
  if (!file) throw Error(ErrorCode::io, path + " cannot be written: " + std::strerror(errno));
}

}  // namespace ingot
