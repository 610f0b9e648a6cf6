// System calls and instructions that Swift on Linux cannot reach: thin wrappers, one call each.
// Every call returns what the kernel returned, or -errno; none retries, none allocates.
#ifndef VARVE_CLINUX_H
#define VARVE_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

// Reads and writes with RWF flags. Each moves what the kernel moved, perhaps less than asked.
ssize_t varve_pread(int fd, void *buffer, size_t count, int64_t offset);
ssize_t varve_pread_nowait(int fd, void *buffer, size_t count, int64_t offset);
ssize_t varve_pwrite(int fd, const void *buffer, size_t count, int64_t offset);
ssize_t varve_pwrite_durable(int fd, const void *buffer, size_t count, int64_t offset);
// From a file's cached pages to a socket, which takes them by reference where the kernel can (6.5 and later).
ssize_t varve_send_file(int socket, int fd, int64_t offset, size_t count);
// How many pages of a range are in memory; -ENOSYS before Linux 6.5.
int64_t varve_cached_pages(int fd, int64_t offset, int64_t count);

// Space and extents.
int varve_punch(int fd, int64_t offset, int64_t count);
int varve_zero(int fd, int64_t offset, int64_t count);
int varve_allocate(int fd, int64_t offset, int64_t count);
int64_t varve_seek_data(int fd, int64_t offset);
int64_t varve_seek_hole(int fd, int64_t offset);
int varve_start_writing(int fd, int64_t offset, int64_t count);
int varve_fdatasync(int fd);
int varve_fsync(int fd);
int varve_lock_exclusive(int fd);
int varve_unlock(int fd);

// Files.
int varve_open(const char *path, int flags, unsigned mode);
extern const int varve_o_rdonly, varve_o_rdwr, varve_o_creat, varve_o_excl, varve_o_directory, varve_o_cloexec,
    varve_o_trunc;

// Memory.
void *varve_map_shared(int fd, size_t count);
void *varve_map_anonymous(size_t count);
// Only for memory that is used sparsely: else a huge page is zeroed, and taken, for the first store in its 2 MiB.
void varve_avoid_huge_pages(void *base, size_t count);
int varve_unmap(void *base, size_t count);
int varve_map_sync(void *base, size_t count);
int varve_discard(void *base, size_t count);

// Atomic access to memory that no Swift Atomic can own (a mapped file). All sequentially consistent.
static inline uint64_t varve_load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
static inline uint64_t varve_fetch_or(uint64_t *word, uint64_t bits) {
    return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}
static inline uint64_t varve_fetch_and(uint64_t *word, uint64_t bits) {
    return __atomic_fetch_and(word, bits, __ATOMIC_SEQ_CST);
}

// CRC-32C (Castagnoli), reflected, initial value and final xor as in RFC 3720. `crc` chains calls; start with 0.
uint32_t varve_crc32c(uint32_t crc, const void *buffer, size_t count);

// Is every byte zero?
int varve_is_zero(const void *buffer, size_t count);

// This thread: idle scheduling class and idle I/O priority, for background work. Failure is harmless.
void varve_thread_background(void);
void varve_thread_name(const char *name);
int varve_core_count(void);
void varve_kill_self(void);

// Sockets.
int varve_socket_unix_listen(const char *path, int backlog);
int varve_socket_tcp_listen(const char *host, uint16_t port, int backlog, uint16_t *bound);
int varve_accept(int fd);
ssize_t varve_recv(int fd, void *buffer, size_t count, int wait);
ssize_t varve_send(int fd, const struct iovec *parts, int count);
int varve_shutdown(int fd);
int varve_socket_buffers(int fd, int bytes);
int varve_socket_send_buffer(int fd, int bytes);
void varve_yield(void);
int varve_ignore_sigpipe(void);
int varve_raise_file_limit(void); // how many files this process may have open from now on, or -errno
int varve_socket_unix_connect(const char *path);
ssize_t varve_recv_two(int fd, void *first, size_t first_count, void *second, size_t second_count, int wait);
ssize_t varve_send_one(int fd, const void *bytes, size_t count);
int varve_wait_two(int fd, int other); // until either can be read
int varve_socket_timeout(int fd, int64_t seconds, int64_t microseconds); // for one recv or send; 0 for none
int varve_shutdown_receiving(int fd);
int varve_socket_peer(int fd, char *text, size_t size); // "10.0.0.7:40123"; empty for a unix socket
int varve_eventfd(void);
void varve_eventfd_raise(int fd);
void varve_eventfd_lower(int fd);

// Facts about a path: st_dev, st_ino, st_mtime, f_bsize * f_bavail, kind, permission bits.
struct varve_stat {
    uint64_t device, inode, size, allocated;
    int64_t modified_seconds;
    int is_directory;
    uint32_t permissions;
};
int varve_stat_path(const char *path, struct varve_stat *out);
int varve_stat_fd(int fd, struct varve_stat *out);
int64_t varve_free_bytes(const char *path);

#endif
