internal import Glibc

/// A value that can be reached only while its lock is held, and waited on.
///
/// Over `pthread_mutex`, because `Synchronization.Mutex` reports false races under the thread sanitizer on Linux.
@safe public final class Guarded<State: ~Copyable>: @unchecked Sendable {
    // Safe: `state` is touched only between lock and unlock of `mutex`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    // Behind `mutex`, which is read without the lock: a state without size has the address of what follows it, and the
    // thread sanitizer takes both for one.
    private var state: State
    private let changed: UnsafeMutablePointer<pthread_cond_t>

    /// Guards `initial`.
    public init(_ initial: consuming sending State) {
        state = initial
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe changed = .allocate(capacity: 1)
        unsafe changed.initialize(to: pthread_cond_t())
        let status = unsafe pthread_mutex_init(mutex, nil)
        precondition(status == 0)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let condStatus = unsafe pthread_cond_init(changed, &attributes)
        precondition(condStatus == 0)
    }
    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
        unsafe pthread_cond_destroy(changed)
        unsafe changed.deallocate()
    }

    /// Runs `body` with the lock held. Not reentrant.
    public func withLock<R: ~Copyable, E: Error>(
        _ body: (inout sending State) throws(E) -> sending R
    ) throws(E) -> sending R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Runs `body` with the lock held, then wakes every thread waiting in ``wait(until:)``.
    public func change<R: ~Copyable, E: Error>(
        _ body: (inout sending State) throws(E) -> sending R
    ) throws(E) -> sending R {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(changed)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Like ``change(_:)``, but wakes only one waiting thread: for when any of them will do.
    public func changeForOne<R: ~Copyable, E: Error>(
        _ body: (inout sending State) throws(E) -> sending R
    ) throws(E) -> sending R {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_signal(changed)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Waits until `body`, run with the lock held after each ``change(_:)``, returns a value.
    public func wait<R>(until body: (inout sending State) -> sending R?) -> sending R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            unsafe pthread_cond_wait(changed, mutex)
        }
    }

    /// Like ``wait(until:)``, but gives up after `limit` and returns nil.
    public func wait<R>(atMost limit: Duration, until body: (inout sending State) -> sending R?) -> sending R? {
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        let (seconds, attoseconds) = limit.components
        let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
        deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            if unsafe pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { return body(&state) }
        }
    }
}
