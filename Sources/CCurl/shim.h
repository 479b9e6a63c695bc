// What Swift cannot import of libcurl and its sockets by itself: variadic calls, as inline functions. No other code.
#pragma once
#include <curl/curl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

typedef size_t (*shim_curl_data_callback)(char *, size_t, size_t, void *);
typedef int (*shim_curl_socket_callback)(void *, curl_socket_t, curlsocktype);
typedef int (*shim_curl_seek_callback)(void *, curl_off_t, int);

static inline CURLcode shim_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode shim_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode shim_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode shim_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode shim_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode shim_curl_set_data_callback(CURL *handle, CURLoption option, shim_curl_data_callback value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode shim_curl_set_socket_callback(CURL *handle, CURLoption option, shim_curl_socket_callback value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode shim_curl_set_seek_callback(CURL *handle, CURLoption option, shim_curl_seek_callback value) {
    return curl_easy_setopt(handle, option, value);
}
/// libcurl copies the bytes.
static inline CURLcode shim_curl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t length) {
    struct curl_blob blob;
    blob.data = (void *)bytes;
    blob.len = length;
    blob.flags = CURL_BLOB_COPY;
    return curl_easy_setopt(handle, option, &blob);
}
static inline CURLcode shim_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode shim_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLMcode shim_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLcode shim_curl_message_result(const CURLMsg *message) { return message->data.result; }
/// How many bytes written to a TCP socket its other end has not acknowledged; -1 where that cannot be told.
static inline int shim_socket_unacknowledged(int socket) {
    int count = -1;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : -1;
}
static inline CURLcode shim_curl_get_socket(CURL *handle, curl_socket_t *value) {
    return curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, value);
}
