// The products and convolutions that ingot-kernel-bench times.
#pragma once

#include <string>

#include "kernels/conv_nhwc.h"

namespace ingot {

struct GemmCase {
  int64_t m, k, n;
  bool cold = false;  // B comes from memory: no cache holds it from the call before
};

inline constexpr GemmCase kGemms[] = {
    {256, 256, 256},       {512, 512, 512},       {1024, 1024, 1024},    {128, 768, 768},
    {128, 768, 3072},      {128, 3072, 768},      {197, 768, 3072},      {197, 3072, 768},
    {197, 768, 2304},      {64, 768, 2304},       {64, 3072, 768},       {100, 256, 1024},
    {49, 2048, 512},       {4, 768, 3072},        {1, 768, 3072},        {1, 3072, 768},
    {1, 784, 512},         {1, 512, 256},         {1, 256, 10},          {1, 10, 20},
    {1, 768, 3072, true},  {1, 3072, 768, true},  {4, 768, 3072, true},  {8, 768, 3072, true},
    {16, 768, 3072, true}, {16, 3072, 768, true}, {64, 768, 3072, true}, {128, 768, 3072, true},
};

inline std::string name_of(const GemmCase& one) {
  return "gemm " + std::to_string(one.m) + " x " + std::to_string(one.k) + " x " +
         std::to_string(one.n) + (one.cold ? " from memory" : "");
}

inline double operations_of(const GemmCase& one) {
  return 2.0 * static_cast<double>(one.m * one.n * one.k);
}

struct ConvCase {
  const char* model;
  int64_t size, in, out, kernel, stride, groups;
};

inline constexpr ConvCase kConvs[] = {
    {"resnet50", 56, 64, 64, 1, 1, 1},
    {"resnet50", 56, 64, 256, 1, 1, 1},
    {"resnet50", 56, 256, 64, 1, 1, 1},
    {"resnet50", 28, 512, 128, 1, 1, 1},
    {"resnet50", 28, 128, 512, 1, 1, 1},
    {"resnet50", 14, 1024, 256, 1, 1, 1},
    {"resnet50", 14, 256, 1024, 1, 1, 1},
    {"resnet50", 7, 2048, 512, 1, 1, 1},
    {"resnet50", 7, 512, 2048, 1, 1, 1},
    {"resnet50", 56, 256, 512, 1, 2, 1},
    {"resnet50", 14, 1024, 2048, 1, 2, 1},
    {"mobilenet_v3", 112, 16, 64, 1, 1, 1},
    {"mobilenet_v3", 56, 64, 24, 1, 1, 1},
    {"mobilenet_v3", 56, 24, 72, 1, 1, 1},
    {"mobilenet_v3", 28, 72, 40, 1, 1, 1},
    {"mobilenet_v3", 28, 40, 120, 1, 1, 1},
    {"mobilenet_v3", 28, 120, 40, 1, 1, 1},
    {"mobilenet_v3", 14, 200, 80, 1, 1, 1},
    {"mobilenet_v3", 14, 80, 184, 1, 1, 1},
    {"mobilenet_v3", 14, 480, 112, 1, 1, 1},
    {"mobilenet_v3", 14, 112, 672, 1, 1, 1},
    {"mobilenet_v3", 7, 672, 160, 1, 1, 1},
    {"mobilenet_v3", 7, 160, 960, 1, 1, 1},
    {"resnet", 224, 3, 64, 7, 2, 1},
    {"vgg16", 224, 3, 64, 3, 1, 1},
    {"mobilenet_v3", 224, 3, 16, 3, 2, 1},
    {"convnext", 224, 3, 96, 4, 4, 1},
    {"vit", 224, 3, 768, 16, 16, 1},
    {"convnext", 56, 96, 192, 2, 2, 1},
    {"resnet", 56, 64, 64, 3, 1, 1},
    {"resnet", 28, 128, 128, 3, 1, 1},
    {"resnet", 14, 256, 256, 3, 1, 1},
    {"resnet", 7, 512, 512, 3, 1, 1},
    {"resnet", 56, 64, 128, 3, 2, 1},
    {"resnet", 28, 128, 256, 3, 2, 1},
    {"resnet", 14, 256, 512, 3, 2, 1},
    {"vgg16", 224, 64, 64, 3, 1, 1},
    {"vgg16", 112, 64, 128, 3, 1, 1},
    {"vgg16", 112, 128, 128, 3, 1, 1},
    {"vgg16", 56, 128, 256, 3, 1, 1},
    {"vgg16", 56, 256, 256, 3, 1, 1},
    {"vgg16", 28, 256, 512, 3, 1, 1},
    {"vgg16", 28, 512, 512, 3, 1, 1},
    {"vgg16", 14, 512, 512, 3, 1, 1},
    {"mobilenet_v3", 112, 16, 16, 3, 1, 16},
    {"mobilenet_v3", 112, 64, 64, 3, 2, 64},
    {"mobilenet_v3", 56, 72, 72, 3, 1, 72},
    {"mobilenet_v3", 56, 72, 72, 5, 2, 72},
    {"mobilenet_v3", 28, 120, 120, 5, 1, 120},
    {"mobilenet_v3", 28, 240, 240, 3, 2, 240},
    {"mobilenet_v3", 14, 184, 184, 3, 1, 184},
    {"mobilenet_v3", 14, 672, 672, 3, 1, 672},
    {"mobilenet_v3", 14, 672, 672, 5, 2, 672},
    {"mobilenet_v3", 7, 960, 960, 5, 1, 960},
    {"convnext", 56, 96, 96, 7, 1, 96},
    {"convnext", 14, 384, 384, 7, 1, 384},
    {"resnext", 56, 128, 128, 3, 1, 32},
    {"resnext", 14, 512, 512, 3, 1, 32},
    {"regnet", 28, 56, 56, 3, 1, 7},
};

inline ConvGeometry geometry_of(const ConvCase& one) {
  const int64_t pad = one.kernel == one.stride ? 0 : one.kernel / 2;
  const int64_t out = (one.size + 2 * pad - one.kernel) / one.stride + 1;
  return {1,
          one.groups,
          one.in,
          one.out,
          {1, one.size, one.size},
          {1, out, out},
          {1, one.kernel, one.kernel},
          {1, one.stride, one.stride},
          {0, pad, pad},
          {1, 1, 1}};
}

inline std::string name_of(const ConvCase& one) {
  return std::string(one.model) + " " + std::to_string(one.kernel) + "x" +
         std::to_string(one.kernel) + "/" + std::to_string(one.stride) + " " +
         std::to_string(one.size) + "^2 " + std::to_string(one.in) + "->" +
         std::to_string(one.out) + (one.groups > 1 ? " g" + std::to_string(one.groups) : "");
}

inline int64_t weights_of(const ConvGeometry& g) {
  return g.out_channels * (g.in_channels / g.groups) * volume_of(g.kernel);
}

// Of the direct convolution, whatever the method saves.
inline double operations_of(const ConvGeometry& g) {
  return 2.0 * static_cast<double>(g.batch * volume_of(g.out) * weights_of(g));
}

}  // namespace ingot
