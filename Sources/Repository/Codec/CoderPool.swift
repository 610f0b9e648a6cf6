internal import Blocks

/// Lends each thread a coder of its own.
@safe final class CoderPool: @unchecked Sendable {
    // Safe: a coder is in `idle` or lent to one thread, never both; `idle` is behind its lock.
    private struct Idle: @unchecked Sendable {
        // Safe: only ever touched under the lock of `idle`.
        var coders: [FrameCoder] = []
    }
    private let idle = Guarded(Idle())

    func withCoder<R, E: Error>(_ body: (FrameCoder) throws(E) -> R) throws(E) -> R {
        let lent = Lent(
            coder: idle.withLock { Idle(coders: $0.coders.popLast().map { [$0] } ?? []) }.coders.first ?? FrameCoder())
        defer { idle.withLock { $0.coders.append(lent.coder) } }
        return try body(lent.coder)
    }

    private struct Lent: @unchecked Sendable {
        // Safe: lent to the calling thread alone.
        let coder: FrameCoder
    }
}
