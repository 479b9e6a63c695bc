// What Swift cannot import of CMicroHTTPD by itself: variadic calls and macros, as inline functions. No other code.
#pragma once
#include <microhttpd.h>
