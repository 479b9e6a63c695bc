// What Swift cannot import of CCrypto by itself: variadic calls and macros, as inline functions. No other code.
#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

// The bytes that were written to a memory BIO; they belong to it.
static inline long shim_crypto_memory_bio_bytes(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }
