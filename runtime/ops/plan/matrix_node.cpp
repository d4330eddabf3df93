#include "ops/plan/matrix_node.h"

#include <bit>
#include <cmath>

#include "ops/plan/memory_order.h"

namespace ingot::plan {
namespace {

// True if `vector` has one number per column of `out`, whose columns lie innermost.
bool is_column_vector(const Tensor& vector, const Tensor& out, int64_t columns) {
  if (vector.numel() != columns || vector.dtype() != DType::f32) return false;
  const StridedRange range = range_in_order_of(out, vector);
  if (columns == 1 || range.contiguous()) return true;
  return range.repeats_row(columns);
}

bool reads(const ElementwiseNode::Source& source, const Tensor& tensor) {
  return source.tensor.defined() && source.tensor.storage() == tensor.storage();
}

}  // namespace

bool MatrixNode::absorb(const ElementwiseNode& node, bool fold) {
  using Kind = ElementwiseNode::Kind;
  const bool clamped = low_ != -std::numeric_limits<float>::infinity() ||
                       high_ != std::numeric_limits<float>::infinity();
  if (node.kind == Kind::clamp) {
    if (clamped) return false;
    low_ = node.low;
    high_ = node.high;
  } else if (node.kind == Kind::general || clamped || residual_.defined()) {
    return false;
  } else {
    const size_t own = reads(node.sources[0], out_) ? 0 : 1;
    const ElementwiseNode::Source& other = node.sources[1 - own];
    if (other.tensor.defined() && reads(other, out_)) return false;
    const bool vector = other.tensor.defined() && is_constant(other.tensor) &&
                        is_column_vector(other.tensor, node.out, columns_);
    const bool number = !other.tensor.defined();
    if (node.kind == Kind::sub && own == 1) return false;
    if (vector || number) {
      if (!fold) return false;
      folds_.push_back({.add = node.kind != Kind::mul,
                        .sign = node.kind == Kind::sub ? -1.0f : 1.0f,
                        .vector = other.tensor,
                        .number = number ? node.number(1 - own) : 0});
    } else if (node.kind == Kind::add && same_order(other.tensor, node.out)) {
      residual_ = other.tensor;
    } else {
      return false;
    }
  }
  taken_ += "+" + node.name;
  out_ = node.out;
  product_ = out_;
  return true;
}

void MatrixNode::set_tail(std::vector<std::unique_ptr<ElementwiseNode>> nodes, bool keep) {
  tail_ = std::move(nodes);
  taken_ += "+" + describe_chain(tail_);
  if (keep) return;
  // The product may lie where the first result goes, if nobody reads it after that.
  const ElementwiseNode* first = nullptr;
  for (const auto& node : tail_) {
    for (const ElementwiseNode::Source& source : node->sources)
      if (first && reads(source, out_)) return;
    if (!first && node->stored) first = node.get();
  }
  if (first->out.dtype() != DType::f32) return;
  product_ = first->out.as_strided(out_.sizes(), out_.strides(), 0);
  for (const auto& node : tail_)
    for (ElementwiseNode::Source& source : node->sources)
      if (reads(source, out_))
        source.tensor = first->out.as_strided(source.tensor.sizes(), source.tensor.strides(), 0);
}

std::vector<Tensor> MatrixNode::inputs() const {
  std::vector<Tensor> tensors = operands();
  if (residual_.defined()) tensors.push_back(residual_);
  for (const Tensor& tensor : inputs_of(tail_))
    if (tensor.storage() != product_.storage()) tensors.push_back(tensor);
  return tensors;
}

std::vector<Tensor> MatrixNode::outputs() const {
  std::vector<Tensor> tensors = {product_};
  for (const auto& node : tail_)
    if (node->stored && node->out.storage() != product_.storage()) tensors.push_back(node->out);
  return tensors;
}

std::string MatrixNode::describe_finish() const { return taken_; }

std::vector<Tensor> MatrixNode::fold_tensors() const {
  std::vector<Tensor> tensors;
  for (const Fold& fold : folds_) tensors.push_back(fold.vector);
  return tensors;
}

std::vector<int64_t> MatrixNode::fold_numbers() const {
  std::vector<int64_t> numbers;
  for (const Fold& fold : folds_) {
    numbers.push_back(fold.add ? static_cast<int64_t>(fold.sign) : 0);
    numbers.push_back(std::bit_cast<int32_t>(fold.number));
  }
  return numbers;
}

namespace {

// Element c of a fold's constant.
float value_at(const Fold& fold, const Tensor& vector, int64_t c) {
  return fold.vector.defined() ? vector.data<float>()[c] : fold.number;
}

}  // namespace

std::vector<float> MatrixNode::fold_scale() const {
  std::vector<float> scale;
  for (const Fold& fold : folds_) {
    if (fold.add) continue;
    scale.resize(static_cast<size_t>(columns_), 1.0f);
    const Tensor vector = fold.vector.defined() ? fold.vector.contiguous() : Tensor();
    for (int64_t c = 0; c < columns_; ++c)
      scale[static_cast<size_t>(c)] *= value_at(fold, vector, c);
  }
  return scale;
}

std::shared_ptr<const Tensor> MatrixNode::folded_bias() const {
  if (folds_.empty())
    return bias_.defined() ? std::make_shared<const Tensor>(bias_.contiguous()) : nullptr;
  std::vector<Tensor> tensors = fold_tensors();
  tensors.push_back(bias_);
  std::vector<int64_t> numbers = fold_numbers();
  numbers.push_back(columns_);
  return weights_.get<Tensor>(std::move(tensors), std::move(numbers), [&] {
    auto bias = std::make_shared<Tensor>(Tensor::zeros(DType::f32, Dims{columns_}));
    float* const to = bias->data<float>();
    if (bias_.defined()) {
      const Tensor own = bias_.contiguous();
      std::copy_n(own.data<float>(), columns_, to);
    }
    for (const Fold& fold : folds_) {
      const Tensor vector = fold.vector.defined() ? fold.vector.contiguous() : Tensor();
      for (int64_t c = 0; c < columns_; ++c) {
        const float value = value_at(fold, vector, c);
        to[c] = fold.add ? to[c] + fold.sign * value : to[c] * value;
      }
    }
    return bias;
  });
}

MatrixNode::Finish::Finish(const MatrixNode& node, Layout& layout)
    : bias_(node.folded_bias()), width_(node.columns_) {
  fixed_.low = node.low_;
  fixed_.high = node.high_;
  if (bias_) fixed_.bias = bias_->data<float>();
  if (node.residual_.defined()) {
    residual_ = layout.place(node.residual_);
    fixed_.residual_stride = width_;
  }
  if (!node.tail_.empty()) tail_ = std::make_shared<const TileProgram>(node.tail_, layout);
}

Epilogue MatrixNode::Finish::epilogue(const Memory& memory, Context& context) const {
  Epilogue epilogue = fixed_;
  if (residual_) epilogue.residual = memory.at<const float>(*residual_);
  if (tail_) {
    context = {tail_.get(), &memory, width_};
    epilogue.context = &context;
    epilogue.then = [](void* opaque, int64_t row, int64_t rows, int64_t column, int64_t columns) {
      const auto& c = *static_cast<const Context*>(opaque);
      c.tail->run_block(*c.memory, row, rows, column, columns, c.width);
    };
  }
  return epilogue;
}

}  // namespace ingot::plan
