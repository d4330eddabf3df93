/* Ingot from C, and from every language that can call C: load a file, run it.
 *
 *   ingot_module* model;
 *   ingot_value *x, *y;
 *   int64_t sizes[2] = {1, 10};
 *   ingot_load("model.ingot", &model);
 *   ingot_make_tensor(INGOT_F32, sizes, 2, data, sizeof data, &x);
 *   const ingot_value* inputs[1] = {x};
 *   if (ingot_run(model, "forward", inputs, 1, &y)) puts(ingot_error_report());
 *
 * Results: every function that can fail returns a status, INGOT_OK (0) or the kind of failure;
 * the ingot_error_ functions then tell the rest. A function that fails writes none of its
 * outputs. A required pointer that is NULL is INGOT_ERROR_INVALID_ARGUMENT.
 *
 * Ownership: what is written to an `ingot_module**` or `ingot_value**` is the caller's and ends
 * with ingot_module_free or ingot_value_free. Functions only borrow the handles passed to them:
 * free an element or an input whenever its own handle is no longer needed. Text and numbers
 * behind returned pointers live as long as the value that they were asked of.
 *
 * Threads: any number may call functions on one module or value at once, as long as none of
 * them frees it. The last error belongs to the calling thread.
 *
 * Text is UTF-8.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <ingot/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A loaded program, immutable but for the buffers that its methods update. */
typedef struct ingot_module ingot_module;
/* One value: None, a number, a string, a tensor, or a list, tuple or dict of values. */
typedef struct ingot_value ingot_value;

typedef int32_t ingot_status;
enum {
  INGOT_OK = 0,
  INGOT_ERROR_INVALID_ARGUMENT = 1, /* values do not fit: count, kind, dtype, shape */
  INGOT_ERROR_GUARD = 2,        /* an assumption of the capture does not hold for these inputs */
  INGOT_ERROR_NOT_FOUND = 3,    /* no such method */
  INGOT_ERROR_IO = 4,           /* the operating system refused to read */
  INGOT_ERROR_CORRUPT_FILE = 5, /* the bytes are no valid program */
  INGOT_ERROR_VERSION = 6,      /* the file is newer than this library */
  INGOT_ERROR_UNSUPPORTED = 7,  /* valid, but not implemented here */
  INGOT_ERROR_RUNTIME = 8,      /* the program raised */
  INGOT_ERROR_OUT_OF_MEMORY = 9,
  INGOT_ERROR_INTERNAL = 10 /* a bug of Ingot */
};

/* Element types, numbered as PyTorch's ScalarType. */
typedef int32_t ingot_dtype;
enum {
  INGOT_U8 = 0,
  INGOT_I8 = 1,
  INGOT_I16 = 2,
  INGOT_I32 = 3,
  INGOT_I64 = 4,
  INGOT_F16 = 5,
  INGOT_F32 = 6,
  INGOT_F64 = 7,
  INGOT_C64 = 9,
  INGOT_C128 = 10,
  INGOT_BOOL = 11,
  INGOT_BF16 = 15
};

/* What a value holds. */
typedef int32_t ingot_kind;
enum {
  INGOT_KIND_NONE = 0,
  INGOT_KIND_BOOL = 1,
  INGOT_KIND_INT = 2,
  INGOT_KIND_FLOAT = 3,
  INGOT_KIND_TENSOR = 4,
  INGOT_KIND_COMPLEX = 5,
  INGOT_KIND_STRING = 6,
  INGOT_KIND_LIST = 7,
  INGOT_KIND_DICT = 8,
  INGOT_KIND_TUPLE = 9,
  INGOT_KIND_OBJECT = 10
};

/* What products and convolutions with constant weights compute in. */
typedef int32_t ingot_precision;
enum {
  INGOT_PRECISION_F32 = 0,
  INGOT_PRECISION_BF16 = 1 /* of operands rounded to bf16, summed in f32, where that is faster */
};

/* How to load; zeros are the defaults. */
typedef struct ingot_load_options {
  ingot_precision precision;
} ingot_load_options;

/* --- the last failure in this thread; texts live until the thread's next failure ----------- */

/* INGOT_OK if nothing has failed yet. */
INGOT_API ingot_status ingot_error_code(void);
/* One sentence that names what did not fit. */
INGOT_API const char* ingot_error_message(void);
/* The user's Python lines, one per stack frame, innermost first; "" if unknown. */
INGOT_API const char* ingot_error_location(void);
/* What to do about it; "" if there is nothing to add. */
INGOT_API const char* ingot_error_hint(void);
/* All of the above as one text. */
INGOT_API const char* ingot_error_report(void);

/* --- modules ------------------------------------------------------------------------------- */

/* Maps and verifies an .ingot file. INGOT_ERROR_IO, INGOT_ERROR_CORRUPT_FILE, INGOT_ERROR_VERSION,
 * INGOT_ERROR_UNSUPPORTED. */
INGOT_API ingot_status ingot_load(const char* path, ingot_module** module);
/* The same from memory, which is copied. */
INGOT_API ingot_status ingot_load_memory(const void* bytes, size_t count, ingot_module** module);
/* The same two with options. INGOT_ERROR_UNSUPPORTED also if this machine lacks the precision. */
INGOT_API ingot_status ingot_load_with(const char* path, const ingot_load_options* options,
                                       ingot_module** module);
INGOT_API ingot_status ingot_load_memory_with(const void* bytes, size_t count,
                                              const ingot_load_options* options,
                                              ingot_module** module);
/* An independent copy of the mutable state over the same program and weights. */
INGOT_API ingot_status ingot_fork(const ingot_module* module, ingot_module** copy);
/* NULL is allowed. Values that came from the module stay valid. */
INGOT_API void ingot_module_free(ingot_module* module);

/* Runs `method` ("forward" is the usual one) on `count` positional inputs.
 * INGOT_ERROR_INVALID_ARGUMENT if number or kind of the inputs do not fit, INGOT_ERROR_GUARD if the
 * capture assumed otherwise, INGOT_ERROR_NOT_FOUND without such a method, INGOT_ERROR_RUNTIME if
 * the program raises. */
INGOT_API ingot_status ingot_run(const ingot_module* module, const char* method,
                                 const ingot_value* const* inputs, size_t count,
                                 ingot_value** output);

/* A list of strings: the methods that ingot_run takes. */
INGOT_API ingot_status ingot_methods(const ingot_module* module, ingot_value** names);
/* A list of tuples (str name, str type, bool may be left out), one per input of the method.
 * Types are program text: "f32[B, 10]". */
INGOT_API ingot_status ingot_inputs(const ingot_module* module, const char* method,
                                    ingot_value** ports);
/* A list of tuples (str name, str type); names are "" unless the method returns a named tuple. */
INGOT_API ingot_status ingot_outputs(const ingot_module* module, const char* method,
                                     ingot_value** ports);
/* A dict of parameters and buffers under their state_dict names. The tensors are the module's
 * own memory. */
INGOT_API ingot_status ingot_state(const ingot_module* module, ingot_value** tensors);
/* A dict of names to strings of bytes: what was saved beside the program. */
INGOT_API ingot_status ingot_extra_files(const ingot_module* module, ingot_value** files);

/* --- making values ------------------------------------------------------------------------- */

INGOT_API ingot_status ingot_make_none(ingot_value** value);
/* Any number but 0 is True. */
INGOT_API ingot_status ingot_make_bool(int boolean, ingot_value** value);
INGOT_API ingot_status ingot_make_int(int64_t number, ingot_value** value);
INGOT_API ingot_status ingot_make_float(double number, ingot_value** value);
INGOT_API ingot_status ingot_make_complex(double real, double imaginary, ingot_value** value);
/* Copies `bytes` bytes of `text`, which may contain zeros. */
INGOT_API ingot_status ingot_make_string(const char* text, size_t bytes, ingot_value** value);
/* Copies `bytes` bytes of row-major `data`, exactly what dtype and sizes ask for. At most 16
 * dimensions; rank 0 is a single element. */
INGOT_API ingot_status ingot_make_tensor(ingot_dtype dtype, const int64_t* sizes, int32_t rank,
                                         const void* data, size_t bytes, ingot_value** value);
/* Uses the caller's memory in place. `strides` are in elements; NULL means row-major. When the
 * last reference to the memory is gone, release(context) runs, on whichever thread that
 * happens; NULL: nothing runs. On failure the memory stays the caller's. */
INGOT_API ingot_status ingot_wrap_tensor(ingot_dtype dtype, const int64_t* sizes,
                                         const int64_t* strides, int32_t rank, void* data,
                                         void (*release)(void* context), void* context,
                                         ingot_value** value);
INGOT_API ingot_status ingot_make_list(const ingot_value* const* elements, size_t count,
                                       ingot_value** value);
INGOT_API ingot_status ingot_make_tuple(const ingot_value* const* elements, size_t count,
                                        ingot_value** value);
/* Keys are bools, ints, floats or strings; of equal keys the last one counts. */
INGOT_API ingot_status ingot_make_dict(const ingot_value* const* keys,
                                       const ingot_value* const* values, size_t count,
                                       ingot_value** value);
/* NULL is allowed. */
INGOT_API void ingot_value_free(ingot_value* value);

/* --- reading values; INGOT_ERROR_INVALID_ARGUMENT if the value is of another kind
 * ----------------- */

/* INGOT_KIND_NONE for NULL. */
INGOT_API ingot_kind ingot_value_kind(const ingot_value* value);
INGOT_API ingot_status ingot_get_bool(const ingot_value* value, int* boolean);
INGOT_API ingot_status ingot_get_int(const ingot_value* value, int64_t* number);
INGOT_API ingot_status ingot_get_float(const ingot_value* value, double* number);
INGOT_API ingot_status ingot_get_complex(const ingot_value* value, double* real, double* imaginary);
/* A zero follows the text's last byte. */
INGOT_API ingot_status ingot_get_string(const ingot_value* value, const char** text, size_t* bytes);

/* A tensor's memory, in place. */
typedef struct ingot_tensor_view {
  ingot_dtype dtype;
  int32_t rank;
  const int64_t* sizes;   /* rank numbers */
  const int64_t* strides; /* rank numbers, in elements */
  void* data;             /* the first element */
  size_t bytes;           /* of all elements */
  int32_t contiguous;     /* 1: row-major without gaps, so `bytes` bytes from `data` are all */
  int32_t writable;       /* 0: weights that are mapped from the file */
} ingot_tensor_view;
INGOT_API ingot_status ingot_get_tensor(const ingot_value* value, ingot_tensor_view* view);
/* Copies all elements in row-major order; `bytes` is exactly the view's. */
INGOT_API ingot_status ingot_copy_tensor(const ingot_value* value, void* data, size_t bytes);

/* Elements of a list or tuple, items of a dict. */
INGOT_API ingot_status ingot_get_count(const ingot_value* value, size_t* count);
/* An element of a list or tuple. */
INGOT_API ingot_status ingot_get_element(const ingot_value* value, size_t index,
                                         ingot_value** element);
/* An item of a dict, in the order of insertion. */
INGOT_API ingot_status ingot_get_item(const ingot_value* value, size_t index, ingot_value** key,
                                      ingot_value** item);
/* The element under a name: of a dict with string keys, a named tuple, or an object.
 * INGOT_ERROR_NOT_FOUND if there is none. */
INGOT_API ingot_status ingot_get_named(const ingot_value* value, const char* name,
                                       ingot_value** element);
/* A string: Python's repr, tensors as "f32[2, 3]". */
INGOT_API ingot_status ingot_describe(const ingot_value* value, ingot_value** text);

/* --- the library --------------------------------------------------------------------------- */

/* Threads that one call may use, this process, from now on. 0: one per physical core, at most
 * 16 (the initial value). INGOT_ERROR_INVALID_ARGUMENT if negative. */
INGOT_API ingot_status ingot_set_num_threads(int32_t threads);
INGOT_API int32_t ingot_num_threads(void);

/* Starts the process's random numbers anew: the same seed gives the same draws. Until then the
 * operating system seeds them. */
INGOT_API void ingot_manual_seed(uint64_t seed);
/* "0.1.0" */
INGOT_API const char* ingot_version(void);

#ifdef __cplusplus
}
#endif
