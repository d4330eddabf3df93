#include "file/safetensors.h"

#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <ingot/check.h>

namespace ingot {
namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // as the safetensors library

struct Name {
  std::string_view text;
  DType dtype;
};
constexpr Name kNames[] = {
    {"F32", DType::f32}, {"F64", DType::f64},      {"F16", DType::f16}, {"BF16", DType::bf16},
    {"I64", DType::i64}, {"I32", DType::i32},      {"I16", DType::i16}, {"I8", DType::i8},
    {"U8", DType::u8},   {"BOOL", DType::boolean}, {"C64", DType::c64}, {"C128", DType::c128},
};

template <class... Parts>
[[noreturn]] void corrupt(const Parts&... parts) {
  fail(ErrorCode::corrupt_file, "the file is damaged: ", parts...);
}

std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

SafetensorsEntry read_entry(std::string_view name, const rapidjson::Value& fields,
                            std::span<const std::byte> data) {
  SafetensorsEntry entry{.name = std::string(name), .dtype = {}, .shape = {}, .bytes = {}};
  if (!fields.IsObject() || !fields.HasMember("dtype") || !fields["dtype"].IsString() ||
      !fields.HasMember("shape") || !fields["shape"].IsArray() ||
      !fields.HasMember("data_offsets") || !fields["data_offsets"].IsArray())
    corrupt("the entry of tensor '", name, "' lacks dtype, shape or data_offsets");
  std::optional<DType> dtype;
  for (const Name& known : kNames)
    if (text_of(fields["dtype"]) == known.text) dtype = known.dtype;
  if (!dtype) corrupt("tensor '", name, "' has the unknown dtype '", text_of(fields["dtype"]), "'");
  entry.dtype = *dtype;

  uint64_t bytes = size_of(*dtype);
  bool overflow = false;
  for (const auto& size : fields["shape"].GetArray()) {
    if (!size.IsUint64() || size.GetUint64() > uint64_t{1} << 62)
      corrupt("tensor '", name, "' has a size that is no count");
    entry.shape.push_back(static_cast<int64_t>(size.GetUint64()));
    overflow |= __builtin_mul_overflow(bytes, size.GetUint64(), &bytes);
  }
  const auto& offsets = fields["data_offsets"].GetArray();
  if (offsets.Size() != 2 || !offsets[0].IsUint64() || !offsets[1].IsUint64())
    corrupt("tensor '", name, "' has no valid data_offsets");
  const uint64_t begin = offsets[0].GetUint64();
  const uint64_t end = offsets[1].GetUint64();
  if (begin > end || end > data.size())
    corrupt("the bytes of tensor '", name, "' end at ", end, ", past the file's ", data.size(),
            "; is it truncated?");
  if (overflow || end - begin != bytes)
    corrupt("tensor '", name, "' has ", end - begin, " bytes, which does not fit its shape");
  entry.bytes = data.subspan(begin, end - begin);
  return entry;
}

}  // namespace

Safetensors read_safetensors(std::span<const std::byte> file) {
  if (file.empty()) corrupt("it is empty");
  if (file.size() < 8) corrupt("it has only ", file.size(), " bytes");
  uint64_t length;
  std::memcpy(&length, file.data(), 8);
  if (file[0] == std::byte{'P'} && file[1] == std::byte{'K'})
    fail(ErrorCode::corrupt_file,
         "this is a zip archive (a TorchScript or torch.save file?), not an .ingot file");
  if (length < 2 || length > kLongestHeader || file.size() < 9 || file[8] != std::byte{'{'})
    fail(ErrorCode::corrupt_file, "this is no .ingot file: it does not begin with a header");
  if (length > file.size() - 8)
    corrupt("its header should have ", length, " bytes, but only ", file.size() - 8,
            " follow; is it truncated?");

  rapidjson::Document header;
  header.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
      reinterpret_cast<const char*>(file.data()) + 8, length);
  if (header.HasParseError())
    corrupt("its header is not valid JSON: ", rapidjson::GetParseError_En(header.GetParseError()),
            " at byte ", header.GetErrorOffset());
  if (!header.IsObject()) corrupt("its header is no JSON object");

  Safetensors result;
  const std::span<const std::byte> data = file.subspan(8 + length);
  std::set<std::string_view> seen;
  for (const auto& member : header.GetObject()) {
    const std::string_view name = text_of(member.name);
    if (!seen.insert(name).second) corrupt("tensor '", name, "' occurs twice");
    if (name != "__metadata__") {
      result.entries.push_back(read_entry(name, member.value, data));
      continue;
    }
    if (!member.value.IsObject()) corrupt("its metadata is no JSON object");
    for (const auto& item : member.value.GetObject()) {
      if (!item.value.IsString()) corrupt("its metadata holds something other than text");
      result.metadata[std::string(text_of(item.name))] = std::string(text_of(item.value));
    }
  }
  return result;
}

}  // namespace ingot
