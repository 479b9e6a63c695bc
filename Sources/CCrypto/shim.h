// What Swift cannot import of CCrypto by itself: variadic calls and macros, as inline functions. No other code.
#pragma once
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
