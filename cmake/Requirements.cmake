# What the build needs from the system; a missing piece is one sentence with its package.

function(ingot_require variable what package)
  if(NOT ${variable})
    message(FATAL_ERROR "Ingot needs ${what}: install the package ${package} "
                        "(Debian: apt-get install ${package}), then configure again.")
  endif()
endfunction()

find_program(INGOT_FLATC flatc)
ingot_require(INGOT_FLATC "the FlatBuffers compiler" flatbuffers-compiler)
find_path(INGOT_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h)
ingot_require(INGOT_FLATBUFFERS_INCLUDE "the FlatBuffers headers" libflatbuffers-dev)
find_path(INGOT_RAPIDJSON_INCLUDE rapidjson/reader.h)
ingot_require(INGOT_RAPIDJSON_INCLUDE "the RapidJSON headers" rapidjson-dev)
find_path(INGOT_HIGHWAY_INCLUDE hwy/highway.h)
ingot_require(INGOT_HIGHWAY_INCLUDE "the Highway headers" libhwy-dev)
if(INGOT_LINALG)
  find_path(INGOT_EIGEN_INCLUDE unsupported/Eigen/FFT PATH_SUFFIXES eigen3)
  ingot_require(INGOT_EIGEN_INCLUDE "the Eigen headers (or -DINGOT_LINALG=OFF)" libeigen3-dev)
endif()
