// What Swift cannot import of libmicrohttpd by itself: variadic calls and macros, as inline functions. No other code.
// GnuTLS is what libmicrohttpd speaks TLS with: its header comes with libmicrohttpd's, and only it can tell who a client is.
#pragma once
#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>

/// A daemon on one address with one thread of its own; port 0 lets the system choose. NULL for what is no address, and for
/// a key or certificate (PEM; both NULL for plain HTTP) that cannot be used. With authorities (PEM, else NULL) clients are
/// asked for a certificate, and connect whatever they show. `per_address` is how many connections one address may have; 0 for
/// any number. A port that was just given up can be listened on again (SO_REUSEADDR, which libmicrohttpd sets by itself);
/// MHD_OPTION_LISTENING_ADDRESS_REUSE would be SO_REUSEPORT, with which another process takes half of the requests unseen.
static inline struct MHD_Daemon *shim_httpd_start(
    const char *host, uint16_t port, MHD_AccessHandlerCallback handler, void *context,
    MHD_RequestCompletedCallback completed, MHD_NotifyConnectionCallback connected, unsigned int maximum_connections, unsigned int per_address,
    unsigned int idle_seconds, const char *key, const char *certificate, const char *authorities) {
    struct sockaddr_in address4;
    struct sockaddr_in6 address6;
    memset(&address4, 0, sizeof address4);
    memset(&address6, 0, sizeof address6);
    address4.sin_family = AF_INET;
    address4.sin_port = htons(port);
    address6.sin6_family = AF_INET6;
    address6.sin6_port = htons(port);
    // Not by epoll: in 0.9.75 MHD_quiesce_daemon and the daemon's thread may both take the listening socket out of it, and the
    // second one aborts the process ("Failed to remove listen FD from epoll set").
    unsigned int flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    struct sockaddr *address = (struct sockaddr *)&address4;
    if (inet_pton(AF_INET, host, &address4.sin_addr) != 1) {
        if (inet_pton(AF_INET6, host, &address6.sin6_addr) != 1) return NULL;
        flags |= MHD_USE_DUAL_STACK;
        address = (struct sockaddr *)&address6;
    }
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {authorities != NULL ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, (void *)authorities},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    if (key != NULL && certificate != NULL) flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, port, NULL, NULL, handler, context,
        MHD_OPTION_ARRAY, key != NULL && certificate != NULL ? tls : none,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context, MHD_OPTION_NOTIFY_CONNECTION, connected, context,
        MHD_OPTION_SOCK_ADDR, address,
        MHD_OPTION_CONNECTION_LIMIT, maximum_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_END);
}

/// How long a connection may be silent from now on.
static inline void shim_httpd_set_idle(struct MHD_Connection *connection, unsigned int seconds) {
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

/// The socket of a connection; -1 where it cannot be told.
static inline int shim_httpd_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? (int)info->connect_fd : -1;
}

static inline uint16_t shim_httpd_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

static inline struct MHD_Response *shim_httpd_streamed_response(
    MHD_ContentReaderCallback reader, void *context, MHD_ContentReaderFreeCallback release) {
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32768, reader, context, release);
}

/// The TLS session of a connection; NULL where it has none.
static inline gnutls_session_t shim_httpd_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? (gnutls_session_t)info->tls_session : NULL;
}
