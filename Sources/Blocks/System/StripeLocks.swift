internal import Glibc

/// A fixed number of locks, each for a share of a device's 128 KiB chunks.
///
/// Explicit lock and unlock, because what runs under the lock holds spans that a closure cannot capture.
@safe public final class StripeLocks: @unchecked Sendable {
    /// Blocks that share a lock: 32 of 4 KiB.
    public static let chunk = BlockCount(32)
    private static let count = 256
    // Safe: set once, valid until deinit; pthread mutexes may be used from any thread.
    private let mutexes: UnsafeMutablePointer<pthread_mutex_t>

    /// Makes the locks, all free.
    public init() {
        unsafe mutexes = .allocate(capacity: Self.count)
        for index in 0..<Self.count {
            unsafe (mutexes + index).initialize(to: pthread_mutex_t())
            let status = unsafe pthread_mutex_init(mutexes + index, nil)
            precondition(status == 0)
        }
    }
    deinit {
        for index in 0..<Self.count { unsafe pthread_mutex_destroy(mutexes + index) }
        unsafe mutexes.deallocate()
    }

    /// Takes the lock of the chunk that holds `block`. Not reentrant; hold one at a time.
    public func lock(_ block: BlockIndex) { unsafe pthread_mutex_lock(mutexes + Self.index(block)) }
    /// Gives it back.
    public func unlock(_ block: BlockIndex) { unsafe pthread_mutex_unlock(mutexes + Self.index(block)) }

    /// Takes and gives back every lock once: what was decided under a lock before the call has been done when it
    /// returns. Hold none.
    public func passAll() {
        for index in 0..<Self.count {
            unsafe pthread_mutex_lock(mutexes + index)
            unsafe pthread_mutex_unlock(mutexes + index)
        }
    }

    private static func index(_ block: BlockIndex) -> Int { block.number / chunk.count % count }
}
