#include <ingot/c.h>

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "file_builder.h"

namespace ingot {
namespace {

// Handles end with the test.
class CApi : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string file = testing::sample_file();
    ASSERT_EQ(ingot_load_memory(file.data(), file.size(), &module_), INGOT_OK)
        << ingot_error_report();
  }
  void TearDown() override {
    for (ingot_value* value : values_) ingot_value_free(value);
    ingot_module_free(module_);
  }

  template <class Make, class... Args>
  ingot_value* make(Make function, Args... args) {
    ingot_value* value = nullptr;
    EXPECT_EQ(function(args..., &value), INGOT_OK) << ingot_error_report();
    values_.push_back(value);
    return value;
  }
  ingot_value* text(const std::string& s) { return make(ingot_make_string, s.data(), s.size()); }
  ingot_value* floats(std::initializer_list<int64_t> sizes, float fill) {
    int64_t count = 1;
    for (const int64_t size : sizes) count *= size;
    const std::vector<float> data(static_cast<size_t>(count), fill);
    return make(ingot_make_tensor, INGOT_F32, sizes.begin(), static_cast<int32_t>(sizes.size()),
                data.data(), data.size() * sizeof(float));
  }
  ingot_status run(const char* method, std::vector<const ingot_value*> inputs,
                   ingot_value** output) {
    *output = nullptr;
    const ingot_status status = ingot_run(module_, method, inputs.data(), inputs.size(), output);
    values_.push_back(*output);
    return status;
  }
  static std::string read(const ingot_value* value) {
    const char* text = nullptr;
    size_t bytes = 0;
    EXPECT_EQ(ingot_get_string(value, &text, &bytes), INGOT_OK) << ingot_error_report();
    return {text, bytes};
  }
  std::string describe(const ingot_value* value) { return read(make(ingot_describe, value)); }

  ingot_module* module_ = nullptr;
  std::vector<ingot_value*> values_;
};

TEST_F(CApi, RunsAModel) {
  for (const int64_t batch : {0, 1, 3, 17}) {
    ingot_value* y;
    ASSERT_EQ(run("forward", {floats({batch, 10}, 1.0f)}, &y), INGOT_OK) << ingot_error_report();
    ingot_tensor_view view;
    ASSERT_EQ(ingot_get_tensor(y, &view), INGOT_OK);
    EXPECT_EQ(view.dtype, INGOT_F32);
    ASSERT_EQ(view.rank, 2);
    EXPECT_EQ(view.sizes[0], batch);
    EXPECT_EQ(view.sizes[1], 5);
    EXPECT_EQ(view.strides[1], 1);
    EXPECT_EQ(view.contiguous, 1);
    ASSERT_EQ(view.bytes, static_cast<size_t>(batch) * 5 * sizeof(float));
    std::vector<float> data(static_cast<size_t>(batch) * 5);
    ASSERT_EQ(ingot_copy_tensor(y, data.data(), view.bytes), INGOT_OK);
    for (const float v : data) EXPECT_NEAR(v, 20 * (0.11 * 0.01) + 0.01, 1e-6);
  }
}

TEST_F(CApi, PassesEveryKindOfValue) {
  ingot_value* out;
  const std::string zero("a\0b", 3);
  ASSERT_EQ(run("bundle",
                {floats({}, 2.0f), text(zero), make(ingot_make_int, INT64_MIN),
                 make(ingot_make_float, 0.5)},
                &out),
            INGOT_OK)
      << ingot_error_report();
  EXPECT_EQ(ingot_value_kind(out), INGOT_KIND_TUPLE);
  size_t count = 0;
  ASSERT_EQ(ingot_get_count(out, &count), INGOT_OK);
  EXPECT_EQ(count, 4u);

  ingot_value* items = make(ingot_get_named, out, "items");
  EXPECT_EQ(ingot_value_kind(items), INGOT_KIND_LIST);
  EXPECT_EQ(read(make(ingot_get_element, items, size_t{1})), zero);

  ingot_value* table = make(ingot_get_element, out, size_t{2});
  EXPECT_EQ(ingot_value_kind(table), INGOT_KIND_DICT);
  ASSERT_EQ(ingot_get_count(table, &count), INGOT_OK);
  EXPECT_EQ(count, 1u);
  ingot_value *key, *item;
  ASSERT_EQ(ingot_get_item(table, 0, &key, &item), INGOT_OK);
  values_.insert(values_.end(), {key, item});
  EXPECT_EQ(read(key), zero);
  int64_t number = 0;
  ASSERT_EQ(ingot_get_int(item, &number), INGOT_OK);
  EXPECT_EQ(number, INT64_MIN);

  double f = 0;
  ASSERT_EQ(ingot_get_float(make(ingot_get_named, out, "f"), &f), INGOT_OK);
  EXPECT_EQ(f, 0.5);
  EXPECT_EQ(describe(make(ingot_get_named, out, "x")), "f32[]");
}

TEST_F(CApi, MakesAndReadsValues) {
  EXPECT_EQ(ingot_value_kind(make(ingot_make_none)), INGOT_KIND_NONE);
  int boolean = 0;
  ASSERT_EQ(ingot_get_bool(make(ingot_make_bool, 7), &boolean), INGOT_OK);
  EXPECT_EQ(boolean, 1);
  double real = 0, imaginary = 0;
  ASSERT_EQ(ingot_get_complex(make(ingot_make_complex, 1.5, -2.0), &real, &imaginary), INGOT_OK);
  EXPECT_EQ(real, 1.5);
  EXPECT_EQ(imaginary, -2.0);

  const ingot_value* elements[] = {text("k"), make(ingot_make_int, int64_t{3})};
  EXPECT_EQ(describe(make(ingot_make_list, elements, size_t{2})), "['k', 3]");
  EXPECT_EQ(describe(make(ingot_make_tuple, elements, size_t{2})), "('k', 3)");
  EXPECT_EQ(describe(make(ingot_make_tuple, elements, size_t{0})), "()");
  EXPECT_EQ(describe(make(ingot_make_dict, elements, elements + 1, size_t{1})), "{'k': 3}");

  ingot_value* out;
  const ingot_value* bad_key[] = {floats({2}, 1)};
  EXPECT_EQ(ingot_make_dict(bad_key, elements, 1, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_NE(std::string(ingot_error_message()).find("not Tensor"), std::string::npos);
}

TEST_F(CApi, WrapsMemoryInPlaceAndReleasesItOnce) {
  float data[] = {1, 2, 3, 4, 5, 6};
  const int64_t sizes[] = {3, 2};
  const int64_t strides[] = {1, 3};
  int released = 0;
  const auto release = [](void* context) { ++*static_cast<int*>(context); };
  ingot_value* x = nullptr;
  ASSERT_EQ(ingot_wrap_tensor(INGOT_F32, sizes, strides, 2, data, release, &released, &x),
            INGOT_OK);
  ingot_tensor_view view;
  ASSERT_EQ(ingot_get_tensor(x, &view), INGOT_OK);
  EXPECT_EQ(view.data, data);
  EXPECT_EQ(view.contiguous, 0);
  float copy[6];
  ASSERT_EQ(ingot_copy_tensor(x, copy, sizeof copy), INGOT_OK);
  EXPECT_EQ(copy[1], 4);
  ingot_value* y;
  ASSERT_EQ(run("branch", {x, make(ingot_make_bool, 0)}, &y), INGOT_OK) << ingot_error_report();
  ASSERT_EQ(ingot_copy_tensor(y, copy, sizeof copy), INGOT_OK);
  EXPECT_EQ(copy[1], -4);
  EXPECT_EQ(released, 0);
  ingot_value_free(x);
  EXPECT_EQ(released, 1);

  const int64_t negative[] = {-1, 2};
  EXPECT_EQ(ingot_wrap_tensor(INGOT_F32, negative, nullptr, 2, data, release, &released, &x),
            INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(released, 1);
}

TEST_F(CApi, OutputsOutliveTheModule) {
  ingot_value* weights = make(ingot_state, module_);
  ingot_value* weight = make(ingot_get_named, weights, "fc1.weight");
  ingot_module_free(module_);
  module_ = nullptr;
  ingot_tensor_view view;
  ASSERT_EQ(ingot_get_tensor(weight, &view), INGOT_OK);
  EXPECT_EQ(view.writable, 0);
  EXPECT_EQ(static_cast<const float*>(view.data)[199], 0.01f);
}

TEST_F(CApi, ListsWhatAModuleOffers) {
  EXPECT_EQ(describe(make(ingot_methods, module_)),
            "['forward', 'bundle', 'branch', 'raises', 'count', 'objects']");
  EXPECT_EQ(describe(make(ingot_inputs, module_, "forward")), "[('x', 'f32[B, 10]', False)]");
  EXPECT_EQ(describe(make(ingot_outputs, module_, "bundle")),
            "[('x', 'Tensor'), ('items', 'List[str]'), ('table', 'Dict[str, int]'), "
            "('f', 'float')]");
  ingot_value* files = make(ingot_extra_files, module_);
  EXPECT_EQ(read(make(ingot_get_named, files, "labels.txt")), std::string("cat\0dog", 7));
  EXPECT_STREQ(ingot_version(), "0.1.0");
}

TEST_F(CApi, ForksHaveTheirOwnState) {
  const auto count = [&](const ingot_module* module) {
    const ingot_value* inputs[] = {floats({1}, 0)};
    float value = 0;
    EXPECT_EQ(ingot_copy_tensor(make(ingot_run, module, "count", inputs, size_t{1}), &value, 4),
              INGOT_OK);
    return value;
  };
  EXPECT_EQ(count(module_), 1);
  ingot_module* copy;
  ASSERT_EQ(ingot_fork(module_, &copy), INGOT_OK);
  EXPECT_EQ(count(module_), 2);
  EXPECT_EQ(count(copy), 2);
  EXPECT_EQ(count(copy), 3);
  ingot_module_free(copy);
}

TEST_F(CApi, ErrorsTellCodeSentenceLineAndHint) {
  ingot_value* out;
  EXPECT_EQ(run("raises", {text("no such luck")}, &out), INGOT_ERROR_RUNTIME);
  EXPECT_EQ(out, nullptr);
  EXPECT_EQ(ingot_error_code(), INGOT_ERROR_RUNTIME);
  EXPECT_NE(std::string(ingot_error_message()).find("no such luck"), std::string::npos);
  EXPECT_NE(std::string(ingot_error_location()).find("model.py:7 in raises"), std::string::npos);
  EXPECT_NE(std::string(ingot_error_report()).find(ingot_error_location()), std::string::npos);

  EXPECT_EQ(run("forward", {floats({1, 9}, 0)}, &out), INGOT_ERROR_GUARD);
  EXPECT_EQ(run("forward", {text("x")}, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(run("forward", {}, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(run("backward", {}, &out), INGOT_ERROR_NOT_FOUND);
  EXPECT_EQ(ingot_get_named(make(ingot_state, module_), "fc9", &out), INGOT_ERROR_NOT_FOUND);

  ingot_module* other = nullptr;
  EXPECT_EQ(ingot_load("no such file.ingot", &other), INGOT_ERROR_IO);
  EXPECT_NE(std::string(ingot_error_message()).find("no such file.ingot"), std::string::npos);
  EXPECT_EQ(ingot_load_memory("PK", 2, &other), INGOT_ERROR_CORRUPT_FILE);
  EXPECT_EQ(ingot_load_memory(nullptr, 0, &other), INGOT_ERROR_CORRUPT_FILE);
  EXPECT_EQ(other, nullptr);
}

TEST_F(CApi, NullAndWrongKindsAreErrors) {
  ingot_value* out = nullptr;
  const int64_t sizes[] = {2};
  const float data[] = {1, 2};
  int64_t number;
  EXPECT_EQ(ingot_load(nullptr, nullptr), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_run(nullptr, "forward", nullptr, 0, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_run(module_, "forward", nullptr, 1, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(run("forward", {nullptr}, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_make_int(1, nullptr), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_make_tensor(INGOT_F32, sizes, 1, nullptr, 8, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_make_tensor(INGOT_F32, nullptr, 1, data, 8, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_make_tensor(INGOT_F32, sizes, 1, data, 7, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "a tensor f32[2] takes 8 bytes, got 7");
  EXPECT_EQ(ingot_make_tensor(99, sizes, 1, data, 8, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_make_tensor(INGOT_F32, sizes, 17, data, 8, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_get_int(text("x"), &number), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_get_element(text("x"), 0, &out), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_set_num_threads(-1), INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(out, nullptr);
  ingot_value_free(nullptr);
  ingot_module_free(nullptr);
}

TEST_F(CApi, EveryThreadHasItsOwnError) {
  ingot_value* out;
  EXPECT_EQ(run("backward", {}, &out), INGOT_ERROR_NOT_FOUND);
  std::thread([&] {
    EXPECT_EQ(ingot_error_code(), INGOT_OK);
    EXPECT_STREQ(ingot_error_message(), "");
    EXPECT_STREQ(ingot_error_report(), "");
  }).join();
  EXPECT_EQ(ingot_error_code(), INGOT_ERROR_NOT_FOUND);
}

TEST_F(CApi, ThreadsShareOneModule) {
  std::vector<std::thread> threads;
  const ingot_value* input = floats({3, 10}, 1.0f);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        ingot_value* y = nullptr;
        ASSERT_EQ(ingot_run(module_, "forward", &input, 1, &y), INGOT_OK);
        float data[15];
        ASSERT_EQ(ingot_copy_tensor(y, data, sizeof data), INGOT_OK);
        EXPECT_NEAR(data[14], 0.032, 1e-6);
        ingot_value_free(y);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ingot
