// libssl, and what Swift cannot reach of it: its macros, and a BIO whose two ends are plain memory.
#ifndef VARVE_CTLS_H
#define VARVE_CTLS_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

// What libssl reads from and writes to. Whoever owns the pipe moves bytes between it and the world.
typedef struct {
    uint8_t *incoming;
    size_t incoming_start, incoming_end; // what arrived and libssl has not taken
    uint8_t *outgoing;
    size_t outgoing_count, outgoing_room; // what must be sent, and how much fits
} varve_tls_pipe;

static inline int varve_tls_pipe_read(BIO *bio, char *target, size_t room, size_t *moved) {
    varve_tls_pipe *pipe = (varve_tls_pipe *)BIO_get_data(bio);
    size_t count = pipe->incoming_end - pipe->incoming_start;
    BIO_clear_retry_flags(bio);
    if (count == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    if (count > room) count = room;
    memcpy(target, pipe->incoming + pipe->incoming_start, count);
    pipe->incoming_start += count;
    *moved = count;
    return 1;
}
static inline int varve_tls_pipe_write(BIO *bio, const char *source, size_t count, size_t *moved) {
    varve_tls_pipe *pipe = (varve_tls_pipe *)BIO_get_data(bio);
    size_t room = pipe->outgoing_room - pipe->outgoing_count;
    BIO_clear_retry_flags(bio);
    if (room == 0) {
        BIO_set_retry_write(bio);
        return 0;
    }
    if (count > room) count = room;
    memcpy(pipe->outgoing + pipe->outgoing_count, source, count);
    pipe->outgoing_count += count;
    *moved = count;
    return 1;
}
static inline long varve_tls_pipe_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH; // nothing is kept back
}
static inline BIO_METHOD *varve_tls_pipe_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory pipe");
    if (method == NULL) return NULL;
    BIO_meth_set_read_ex(method, varve_tls_pipe_read);
    BIO_meth_set_write_ex(method, varve_tls_pipe_write);
    BIO_meth_set_ctrl(method, varve_tls_pipe_control);
    return method;
}
// Both directions of `ssl` through `pipe`. 0 when there is no memory.
static inline int varve_tls_attach(SSL *ssl, const BIO_METHOD *method, varve_tls_pipe *pipe) {
    BIO *bio = BIO_new(method);
    if (bio == NULL) return 0;
    BIO_set_data(bio, pipe);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return 1;
}

// What every connection keeps to: TLS 1.2 and later, no resumption, no renegotiation, no compression, no early data.
static inline int varve_tls_settle(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_dh_auto(context, 1);
    return SSL_CTX_set_num_tickets(context, 0) && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}
// A server that asks for certificates must name what its sessions are for, also where none is ever resumed.
static inline int varve_tls_name_sessions(SSL_CTX *context) {
    static const unsigned char name[] = "varve";
    return SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
}
static inline int varve_tls_add_chain(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}
// A key that is locked with a passphrase is refused: nobody is there to type one.
static inline int varve_tls_no_passphrase(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}
static inline int varve_tls_is_past(const ASN1_TIME *time) { return X509_cmp_current_time(time) < 0; }

static inline int varve_tls_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int varve_tls_is_of_ssl(unsigned long code) { return ERR_GET_LIB(code) == ERR_LIB_SSL; }

#endif
