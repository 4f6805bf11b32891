/*
 * a library that was loaded with dlopen, with its variables and its constructor run once
 * restored: map, read
 */
#include <dlfcn.h>
#include <math.h>

#include "state.h"

int main(void) {
  void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
  need(library != NULL);
  double (*power)(double, double) = (double (*)(double, double))dlsym(library, "pow");
  int *sign = dlsym(library, "signgam");
  need(power != NULL && sign != NULL);
  *sign = 1234;
  await_restore();
  check(power(2, 10) == 1024 && *sign == 1234);
  check(dlclose(library) == 0);
  library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
  check(library != NULL && dlsym(library, "pow") != NULL);
}
