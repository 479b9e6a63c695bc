// What Swift cannot import of CYAML by itself: variadic calls and macros, as inline functions. No other code.
#pragma once
#include <yaml.h>
