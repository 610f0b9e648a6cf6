#define _GNU_SOURCE
#include "CLinux.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define RESULT(call) ({ __typeof__(call) r = (call); r < 0 ? (__typeof__(call))-errno : r; })

ssize_t varve_pread(int fd, void *buffer, size_t count, int64_t offset) {
    return RESULT(pread(fd, buffer, count, offset));
}
ssize_t varve_pread_nowait(int fd, void *buffer, size_t count, int64_t offset) {
    struct iovec part = {buffer, count};
    return RESULT(preadv2(fd, &part, 1, offset, RWF_NOWAIT));
}
ssize_t varve_pwrite(int fd, const void *buffer, size_t count, int64_t offset) {
    return RESULT(pwrite(fd, buffer, count, offset));
}
ssize_t varve_pwrite_durable(int fd, const void *buffer, size_t count, int64_t offset) {
    struct iovec part = {(void *)buffer, count};
    return RESULT(pwritev2(fd, &part, 1, offset, RWF_DSYNC));
}

ssize_t varve_send_file(int socket, int fd, int64_t offset, size_t count) {
    off_t position = offset;
    return RESULT(sendfile(socket, fd, &position, count));
}
int64_t varve_cached_pages(int fd, int64_t offset, int64_t count) {
    struct { uint64_t offset, count; } range = {(uint64_t)offset, (uint64_t)count};
    struct { uint64_t cached, dirty, writeback, evicted, recently_evicted; } found;
    int r = RESULT((int)syscall(451 /* cachestat, on every architecture */, fd, &range, &found, 0));
    return r < 0 ? r : (int64_t)found.cached;
}

int varve_punch(int fd, int64_t offset, int64_t count) {
    return RESULT(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count));
}
int varve_zero(int fd, int64_t offset, int64_t count) {
    return RESULT(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, count));
}
int varve_allocate(int fd, int64_t offset, int64_t count) {
    return RESULT(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, count));
}
int64_t varve_seek_data(int fd, int64_t offset) { return RESULT((int64_t)lseek(fd, offset, SEEK_DATA)); }
int64_t varve_seek_hole(int fd, int64_t offset) { return RESULT((int64_t)lseek(fd, offset, SEEK_HOLE)); }
int varve_start_writing(int fd, int64_t offset, int64_t count) {
    return RESULT(sync_file_range(fd, offset, count, SYNC_FILE_RANGE_WRITE));
}
int varve_fdatasync(int fd) { return RESULT(fdatasync(fd)); }
int varve_fsync(int fd) { return RESULT(fsync(fd)); }
int varve_lock_exclusive(int fd) { return RESULT(flock(fd, LOCK_EX | LOCK_NB)); }
int varve_unlock(int fd) { return RESULT(flock(fd, LOCK_UN)); }

int varve_open(const char *path, int flags, unsigned mode) { return RESULT(open(path, flags, mode)); }
const int varve_o_rdonly = O_RDONLY, varve_o_rdwr = O_RDWR, varve_o_creat = O_CREAT, varve_o_excl = O_EXCL,
          varve_o_directory = O_DIRECTORY, varve_o_cloexec = O_CLOEXEC, varve_o_trunc = O_TRUNC;

void *varve_map_shared(int fd, size_t count) {
    void *base = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) return NULL;
    // A fault brings in its own page and no more: around a page of a sparse file the kernel reads ahead megabytes of holes.
    madvise(base, count, MADV_RANDOM);
    return base;
}
void *varve_map_anonymous(size_t count) {
    void *base = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return base == MAP_FAILED ? NULL : base;
}
void varve_avoid_huge_pages(void *base, size_t count) { madvise(base, count, MADV_NOHUGEPAGE); }
int varve_unmap(void *base, size_t count) { return RESULT(munmap(base, count)); }
int varve_map_sync(void *base, size_t count) { return RESULT(msync(base, count, MS_SYNC)); }

int varve_discard(void *base, size_t count) { return RESULT(madvise(base, count, MADV_DONTNEED)); }

static uint32_t crc_table[256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;
static void crc_fill(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
        crc_table[i] = c;
    }
}
static uint32_t crc_plain(uint32_t crc, const uint8_t *p, size_t n) {
    pthread_once(&crc_once, crc_fill);
    while (n--) crc = crc_table[(crc ^ *p++) & 0xff] ^ (crc >> 8);
    return crc;
}
#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse(uint32_t crc, const uint8_t *p, size_t n) {
    uint64_t c = crc;
    while (n >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
        p += 8;
        n -= 8;
    }
    uint32_t r = (uint32_t)c;
    while (n--) r = __builtin_ia32_crc32qi(r, *p++);
    return r;
}
#endif
uint32_t varve_crc32c(uint32_t crc, const void *buffer, size_t count) {
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc_sse(crc, buffer, count);
#endif
    return ~crc_plain(crc, buffer, count);
}

int varve_is_zero(const void *buffer, size_t count) {
    const uint8_t *p = buffer;
    while (count >= 64) {
        uint64_t w[8];
        memcpy(w, p, 64);
        if (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) return 0;
        p += 64;
        count -= 64;
    }
    while (count--)
        if (*p++) return 0;
    return 1;
}

void varve_thread_background(void) {
    struct sched_param none = {0};
    sched_setscheduler(0, SCHED_IDLE, &none);
    syscall(SYS_ioprio_set, 1 /* this thread */, 0, 3 << 13 /* idle class */);
}
void varve_thread_name(const char *name) {
    char shortened[16];
    snprintf(shortened, sizeof shortened, "%s", name);
    pthread_setname_np(pthread_self(), shortened);
}
int varve_core_count(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
void varve_kill_self(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

int varve_socket_unix_listen(const char *path, int backlog) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = RESULT(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd < 0) return fd;
    struct stat left; // a socket of an earlier run goes; bind refuses any other kind of file
    if (lstat(path, &left) == 0 && S_ISSOCK(left.st_mode)) unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0600) < 0 ||
        listen(fd, backlog) < 0) {
        int failure = -errno;
        close(fd);
        return failure;
    }
    return fd;
}
int varve_socket_tcp_listen(const char *host, uint16_t port, int backlog, uint16_t *bound) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    if (getaddrinfo(host, service, &hints, &found) != 0 || !found) return -EADDRNOTAVAIL;
    int fd = RESULT(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd >= 0) {
        int on = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, backlog) < 0) {
            int failure = -errno;
            close(fd);
            fd = failure;
        }
    }
    freeaddrinfo(found);
    if (fd < 0) return fd;
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &length) == 0)
        *bound = ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                                  : ((struct sockaddr_in *)&name)->sin_port);
    return fd;
}
int varve_accept(int fd) {
    int client = RESULT(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
    if (client < 0) return client;
    int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // fails on unix sockets, harmlessly
    setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); // a client whose machine died is noticed one day
    return client;
}
ssize_t varve_recv(int fd, void *buffer, size_t count, int wait) {
    return RESULT(recv(fd, buffer, count, wait ? 0 : MSG_DONTWAIT));
}
ssize_t varve_send(int fd, const struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    return RESULT(sendmsg(fd, &message, MSG_NOSIGNAL));
}
int varve_shutdown(int fd) { return RESULT(shutdown(fd, SHUT_RDWR)); }
int varve_socket_buffers(int fd, int bytes) {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return RESULT(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes));
}
int varve_socket_send_buffer(int fd, int bytes) {
    return RESULT(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes));
}
void varve_yield(void) { sched_yield(); }
int varve_socket_unix_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = RESULT(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd < 0) return fd;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int failure = -errno;
        close(fd);
        return failure;
    }
    return fd;
}
ssize_t varve_recv_two(int fd, void *first, size_t first_count, void *second, size_t second_count, int wait) {
    struct iovec parts[2] = {{first, first_count}, {second, second_count}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = second_count ? 2 : 1};
    return RESULT(recvmsg(fd, &message, wait ? 0 : MSG_DONTWAIT));
}
ssize_t varve_send_one(int fd, const void *bytes, size_t count) {
    return RESULT(send(fd, bytes, count, MSG_NOSIGNAL));
}
int varve_wait_two(int fd, int other) {
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    return RESULT(poll(both, 2, -1));
}
int varve_socket_timeout(int fd, int64_t seconds, int64_t microseconds) {
    struct timeval limit = {.tv_sec = seconds, .tv_usec = microseconds};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return RESULT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
}
int varve_shutdown_receiving(int fd) { return RESULT(shutdown(fd, SHUT_RD)); }
int varve_socket_peer(int fd, char *text, size_t size) {
    struct sockaddr_storage address;
    socklen_t count = sizeof address;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    text[0] = 0;
    if (getpeername(fd, (struct sockaddr *)&address, &count) < 0) return -errno;
    if (address.ss_family == AF_UNIX) return 0;
    if (getnameinfo((struct sockaddr *)&address, count, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return -EINVAL;
    snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}
int varve_eventfd(void) { return RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
void varve_eventfd_raise(int fd) {
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {}
}
void varve_eventfd_lower(int fd) {
    uint64_t all;
    while (read(fd, &all, sizeof all) < 0 && errno == EINTR) {}
}
int varve_raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
    return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
}
int varve_ignore_sigpipe(void) { return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0; }

static void stat_fill(const struct stat *s, struct varve_stat *out) {
    out->device = s->st_dev;
    out->inode = s->st_ino;
    out->size = (uint64_t)s->st_size;
    out->allocated = (uint64_t)s->st_blocks * 512;
    out->modified_seconds = s->st_mtim.tv_sec;
    out->is_directory = S_ISDIR(s->st_mode);
    out->permissions = s->st_mode & 07777;
}
int varve_stat_path(const char *path, struct varve_stat *out) {
    struct stat s;
    int r = RESULT(stat(path, &s));
    if (r == 0) stat_fill(&s, out);
    return r;
}
int varve_stat_fd(int fd, struct varve_stat *out) {
    struct stat s;
    int r = RESULT(fstat(fd, &s));
    if (r == 0) stat_fill(&s, out);
    return r;
}
int64_t varve_free_bytes(const char *path) {
    struct statvfs s;
    int r = RESULT(statvfs(path, &s));
    return r < 0 ? r : (int64_t)s.f_bavail * (int64_t)s.f_frsize;
}
