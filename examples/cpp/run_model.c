/* The same as run_model.cpp in C.
 *   run_model_c simple_model.ingot 3
 */

#include <stdio.h>
#include <stdlib.h>

#include <ingot/c.h>

static int fail(void) {
  fprintf(stderr, "%s\n", ingot_error_report());
  return 1;
}

int main(int argc, char** argv) {
  ingot_module* model = NULL;
  ingot_value *x = NULL, *y = NULL;
  ingot_tensor_view view;
  int64_t sizes[2] = {0, 10};
  int64_t row, column;
  size_t i, count;
  float* values;

  if (argc != 3) {
    fprintf(stderr, "usage: run_model_c FILE BATCH\n");
    return 2;
  }
  sizes[0] = atoll(argv[2]);
  count = (size_t)sizes[0] * 10;
  values = malloc((count + 1) * sizeof *values);
  for (i = 0; i < count; ++i) values[i] = 0.1f * (float)i;

  if (ingot_load(argv[1], &model)) return fail();
  if (ingot_make_tensor(INGOT_F32, sizes, 2, values, count * sizeof *values, &x)) return fail();
  free(values);

  {
    const ingot_value* inputs[1];
    inputs[0] = x;
    if (ingot_run(model, "forward", inputs, 1, &y)) return fail();
  }
  if (ingot_get_tensor(y, &view)) return fail();
  for (row = 0; row < view.sizes[0]; ++row) {
    for (column = 0; column < view.sizes[1]; ++column)
      printf("%.9g ", ((float*)view.data)[row * view.strides[0] + column * view.strides[1]]);
    printf("\n");
  }

  ingot_value_free(y);
  ingot_value_free(x);
  ingot_module_free(model);
  return 0;
}
