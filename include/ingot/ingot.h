// Everything a C++ user needs: load a file, run it.
//
//   auto model = ingot::load("model.ingot");
//   ingot::Tensor y = model.forward({x}).to_tensor();
#pragma once

#include <ingot/dtype.h>
#include <ingot/error.h>
#include <ingot/library.h>
#include <ingot/module.h>
#include <ingot/precision.h>
#include <ingot/random.h>
#include <ingot/tensor.h>
#include <ingot/value.h>
