/// A fixed-size disk that can be read, written and made durable.
///
/// Calls block the thread that makes them and may come from several threads at once. A write is visible to every
/// read that starts after it returns; it survives power loss only once a later ``flush()`` has returned, or when it
/// was made `durably`. Ranges need no alignment. Empty ranges succeed and do nothing.
public protocol BlockDevice: AnyObject, Sendable {
    /// The size in bytes, a multiple of 512. It may grow while the device is in use; it never shrinks.
    var size: ByteCount { get }
    /// Does it refuse writes, trims and zeroes with ``BlockFailure/readOnly``?
    var isReadOnly: Bool { get }

    /// Fills `target` with the bytes of `range`.
    ///
    /// - Precondition: `target.byteCount == range.count.bytes`.
    /// - Throws: ``BlockFailure/outOfRange`` if `range` ends past ``size``.
    func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure)

    /// Like ``read(_:into:)``, but only when that needs no waiting for a disk or a store.
    ///
    /// - Returns: false when it would wait (or cannot tell); `target` may then be partly overwritten.
    func readWithoutWaiting(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool

    /// The bytes of `range` in a file's memory, from where they can be sent without copying; nil unless all are there.
    ///
    /// Bytes sent from there until the read is answered are as good as read: see ``CachedPart``.
    func cachedPart(_ range: ByteRange) -> CachedPart?

    /// Writes `source` at `range`. With `durably`, returns only once the bytes survive power loss.
    ///
    /// - Precondition: `source.byteCount == range.count.bytes`.
    func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure)

    /// Might a write, zero or trim of `range` wait for a store, as one that covers part of a block still to be fetched
    /// does? Cheap, and only a hint: the server lets such a request wait apart, so that it holds up no other.
    func mayWaitToWrite(_ range: ByteRange) -> Bool

    /// Makes `range` read as zeros. `mayPunch` allows the space under it to be given back.
    func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure)

    /// Tells the device that `range` is not needed: afterwards it reads as zeros or as before, byte for byte.
    func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure)

    /// Makes everything that was acknowledged before the call, on any thread, survive power loss.
    func flush() throws(BlockFailure)

    /// Which parts of `range` hold stored data. Covers `range` exactly, in order; neighbours differ.
    /// May stop early after a bounded number of extents, but always returns at least one for a non-empty range.
    func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent]

    /// Which parts of `range` changed since the last snapshot, or nil if the device does not track that.
    /// Rounded out to whole blocks (then cut to `range`). May stop early like ``allocation(in:)``.
    func changes(in range: ByteRange) throws(BlockFailure) -> [Extent]?
}

extension BlockDevice {
    /// By default no read is known not to wait.
    public func readWithoutWaiting(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        false
    }
    /// By default bytes are copied.
    public func cachedPart(_ range: ByteRange) -> CachedPart? { nil }
    /// By default writing waits for the local disk at most.
    public func mayWaitToWrite(_ range: ByteRange) -> Bool { false }
    /// By default nothing is tracked.
    public func changes(in range: ByteRange) throws(BlockFailure) -> [Extent]? { nil }
}
