internal import Blocks

/// Where it is announced that an object changed, for those who wait for it.
///
/// An announcement says only "look again": whoever waits reads the truth from the catalog or the engine.
final class Bulletin: Sendable {
    private struct State {
        var readers: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
        var nextReader = 0
        var isClosed = false
    }
    private let state = Guarded(State())

    /// Says that `key` changed.
    func announce(_ key: String) {
        let readers = state.withLock { Array(($0.readers[key] ?? [:]).values) }
        for reader in readers { reader.yield() }
    }

    /// One element at once, and one after each change (several may fold into one). Ends when the house closes.
    func changes(of key: String) -> AsyncStream<Void> {
        let (stream, reader) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number: Int? = state.withLock { state in
            if state.isClosed { return nil }
            state.nextReader += 1
            state.readers[key, default: [:]][state.nextReader] = reader
            return state.nextReader
        }
        guard let number else {
            reader.finish()
            return stream
        }
        reader.onTermination = { [self] _ in forget(key, number) }
        reader.yield()
        return stream
    }

    private func forget(_ key: String, _ number: Int) {
        state.withLock { state in
            state.readers[key]?[number] = nil
            if state.readers[key]?.isEmpty == true { state.readers[key] = nil }
        }
    }

    /// Ends every stream.
    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            return state.readers.values.flatMap(\.values)
        }
        for reader in readers { reader.finish() }
    }
}
