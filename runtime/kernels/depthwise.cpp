#include "kernels/depthwise.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/depthwise_simd.h"

namespace ingot {

namespace {

constexpr int64_t kMostTaps = 256;
// Pointers of one call: all taps for the most pixels.
constexpr int64_t kMostPointers = kMostTaps * DepthwiseKernels::kMostPixels;
// Weights of a block of channels stay in the first-level cache, with room for the inputs.
constexpr int64_t kWeightFloats = 3072;
// An output block is in the second-level cache when its epilogue sees it.
constexpr int64_t kBlockFloats = 1 << 15;
constexpr int64_t kWorkPerThread = 1 << 16;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Layer {
  const ConvGeometry& g;
  const DepthwiseKernels::Function* pixels;  // [pixels - 1]
  bool dense;
  const float* packed;
  const float* input;
  int64_t in_pixel_stride;
  float* out;
  int64_t out_pixel_stride;
  const Epilogue& epilogue;
  const float* zeros;

  bool inside(int64_t begin, int64_t end, size_t axis) const {
    const int64_t last = (end - 1) * g.stride[axis] + (g.kernel[axis] - 1) * g.dilation[axis];
    return begin * g.stride[axis] >= g.pad[axis] && last - g.pad[axis] < g.in[axis];
  }
};

// Neighbouring groups of `count` output pixels of a line; more than one where all their inputs
// lie inside the image.
struct Piece {
  int64_t first;
  int64_t count;
  int64_t groups;
};

// The next piece of a line from pixel `first` on; all groups but the last have `size` pixels.
Piece piece_at(const Layer& layer, int64_t first, int64_t size) {
  const int64_t width = layer.g.out[2];
  Piece piece = {first, std::min(size, width - first), 1};
  if (!layer.inside(first, first + piece.count, 2)) return piece;
  for (int64_t next = first + size; next + size <= width && layer.inside(next, next + size, 2);
       next += size)
    ++piece.groups;
  return piece;
}

// Makes one piece of line after line.
class PieceMaker {
 public:
  PieceMaker(const Layer& layer, const Piece& piece, int64_t channel, int64_t channel_end)
      : layer_(layer), piece_(piece) {
    const ConvGeometry& g = layer.g;
    const Epilogue& e = layer.epilogue;
    call_.groups = piece.groups;
    call_.input_step = piece.count * g.stride[2] * layer.in_pixel_stride;
    call_.out_step = piece.count * layer.out_pixel_stride;
    call_.residual_step = piece.count * e.residual_stride;
    call_.inputs = inputs_;
    call_.columns = static_cast<int>(layer.dense ? (piece.count - 1) * g.stride[2] + g.kernel[2]
                                                 : piece.count * g.kernel[2]);
    call_.width = static_cast<int>(g.kernel[2]);
    call_.row_weights = row_weights_;
    call_.weights = layer.packed;
    call_.taps = volume_of(g.kernel);
    call_.channel = channel;
    call_.channel_end = channel_end;
    call_.out_stride = layer.out_pixel_stride;
    call_.bias = e.bias;
    call_.residual_stride = e.residual_stride;
    call_.low = e.low;
    call_.high = e.high;
  }

  void make(int64_t line) {
    const ConvGeometry& g = layer_.g;
    const int64_t oh = line % g.out[1];
    const bool inside = layer_.inside(oh, oh + 1, 1);
    if (inside && line == next_line_)
      advance();
    else
      find(line / (g.out[1] * g.out[0]), line / g.out[1] % g.out[0], oh);
    // The inputs of the line below are those of this one a stride further.
    next_line_ = inside && oh + 1 < g.out[1] ? line + 1 : -1;
    const int64_t pixel = line * g.out[2] + piece_.first;
    const Epilogue& e = layer_.epilogue;
    call_.out = layer_.out + pixel * layer_.out_pixel_stride;
    call_.residual = e.residual ? e.residual + pixel * e.residual_stride : nullptr;
    layer_.pixels[piece_.count - 1](call_);
  }

 private:
  void advance() {
    const int64_t step = layer_.g.stride[1] * layer_.g.in[2] * layer_.in_pixel_stride;
    const int64_t all = int64_t{call_.rows} * call_.columns;
    for (int64_t i = 0; i < all; ++i) inputs_[i] += inputs_[i] == layer_.zeros ? 0 : step;
  }

  void find(int64_t image, int64_t od, int64_t oh) {
    const ConvGeometry& g = layer_.g;
    call_.rows = 0;
    const float** to = inputs_;
    for (int64_t kd = 0; kd < g.kernel[0]; ++kd) {
      const int64_t d = od * g.stride[0] - g.pad[0] + kd * g.dilation[0];
      if (d < 0 || d >= g.in[0]) continue;
      for (int64_t kh = 0; kh < g.kernel[1]; ++kh) {
        const int64_t h = oh * g.stride[1] - g.pad[1] + kh * g.dilation[1];
        if (h < 0 || h >= g.in[1]) continue;
        row_weights_[call_.rows++] = (kd * g.kernel[1] + kh) * g.kernel[2];
        const float* line =
            layer_.input + ((image * g.in[0] + d) * g.in[1] + h) * g.in[2] * layer_.in_pixel_stride;
        const int64_t first = piece_.first * g.stride[2] - g.pad[2];
        const auto pointer = [&](int64_t x) {
          return x >= 0 && x < g.in[2] ? line + x * layer_.in_pixel_stride : layer_.zeros;
        };
        if (layer_.dense) {
          for (int i = 0; i < call_.columns; ++i) *to++ = pointer(first + i);
        } else {
          for (int64_t p = 0; p < piece_.count; ++p)
            for (int64_t x = 0; x < g.kernel[2]; ++x)
              *to++ = pointer(first + p * g.stride[2] + x * g.dilation[2]);
        }
      }
    }
  }

  const Layer& layer_;
  const Piece piece_;
  DepthwiseCall call_;
  int64_t next_line_ = -1;
  const float* inputs_[kMostPointers];
  int64_t row_weights_[kMostTaps];
};

}  // namespace

bool depthwise_fits(const ConvGeometry& g) {
  return g.groups == g.in_channels && g.groups == g.out_channels &&
         volume_of(g.kernel) <= kMostTaps;
}

int64_t depthwise_weights_size(const DepthwiseKernels& kernels, const ConvGeometry& g) {
  const int64_t lanes = kernels.lanes;
  return divide_up(g.out_channels, lanes) * lanes * volume_of(g.kernel);
}

void pack_depthwise_weights(const DepthwiseKernels& kernels, const ConvGeometry& g,
                            const float* weight, const float* channel_scale, float* packed) {
  const int64_t lanes = kernels.lanes;
  const int64_t taps = volume_of(g.kernel);
  for (int64_t first = 0; first < g.out_channels; first += lanes, packed += taps * lanes) {
    for (int64_t t = 0; t < taps; ++t) {
      for (int64_t j = 0; j < lanes; ++j) {
        const int64_t c = first + j;
        packed[t * lanes + j] =
            c < g.out_channels ? weight[c * taps + t] * (channel_scale ? channel_scale[c] : 1.0f)
                               : 0.0f;
      }
    }
  }
}

size_t depthwise_workspace(const ConvGeometry& g) {
  return sizeof(float) * static_cast<size_t>(g.in_channels);
}

void conv_depthwise(const ConvGeometry& g, const DepthwiseKernels& kernels, const float* packed,
                    const float* input, int64_t in_pixel_stride, float* out,
                    int64_t out_pixel_stride, const Epilogue& epilogue, void* workspace) {
  const int64_t pixels = g.batch * volume_of(g.out);
  const int64_t channels = g.out_channels;
  if (pixels == 0 || channels == 0) return;
  float* zeros = static_cast<float*>(workspace);
  std::fill_n(zeros, channels, 0.0f);

  const DepthwiseKernels::Function* functions = kernels.any;
  bool dense = false;
  for (const DepthwiseKernels::Dense& one : kernels.dense) {
    if (g.dilation[2] == 1 && one.width == g.kernel[2] && one.stride == g.stride[2]) {
      functions = one.pixels;
      dense = true;
    }
  }
  const Layer layer = {g,   functions,        dense,    packed, input, in_pixel_stride,
                       out, out_pixel_stride, epilogue, zeros};

  const int64_t lanes = kernels.lanes;
  const int64_t taps = volume_of(g.kernel);
  const int64_t most_channels = std::max<int64_t>(kWeightFloats / taps / lanes, 2) * lanes;
  const int64_t block =
      divide_up(divide_up(channels, divide_up(channels, most_channels)), lanes) * lanes;
  const int64_t channel_blocks = divide_up(channels, block);
  const int64_t group = divide_up(g.out[2], divide_up(g.out[2], DepthwiseKernels::kMostPixels));
  const int64_t lines = g.batch * g.out[0] * g.out[1];
  const bool parallel = pixels * channels * taps >= 2 * kWorkPerThread && pool_threads() > 1;
  int64_t lines_of_block = std::clamp<int64_t>(kBlockFloats / (block * g.out[2]), 1, lines);
  if (parallel)
    lines_of_block =
        std::min(lines_of_block, divide_up(lines, divide_up(4 * pool_threads(), channel_blocks)));
  const int64_t line_blocks = divide_up(lines, lines_of_block);
  const int64_t tasks = line_blocks * channel_blocks;
  const auto run = [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t channel = task / line_blocks * block;
      const int64_t channel_end = std::min(channels, channel + block);
      const int64_t line0 = task % line_blocks * lines_of_block;
      const int64_t line1 = std::min(lines, line0 + lines_of_block);
      for (int64_t w = 0; w < g.out[2];) {
        const Piece piece = piece_at(layer, w, group);
        PieceMaker maker(layer, piece, channel, channel_end);
        for (int64_t line = line0; line < line1; ++line) maker.make(line);
        w += piece.count * piece.groups;
      }
      if (epilogue.then)
        epilogue.then(epilogue.context, line0 * g.out[2], (line1 - line0) * g.out[2], channel,
                      channel_end - channel);
    }
  };
  if (!parallel) return run(0, tasks);
  parallel_for(0, tasks, 1, run);
}

}  // namespace ingot
