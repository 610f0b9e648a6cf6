internal import Blocks

/// A client that says what it has to say in given pieces, then hangs up. Keeps what it was sent.
final class ScriptedStream: ByteStream {
    private struct State {
        var pieces: [ArraySlice<UInt8>]
        var sent: [UInt8] = []
    }
    private let state: Guarded<State>

    init(_ pieces: [ArraySlice<UInt8>]) { state = Guarded(State(pieces: pieces.filter { !$0.isEmpty })) }

    var sent: [UInt8] { state.withLock { $0.sent } }

    func receive(
        into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
    ) throws(StreamFailure) -> Received {
        let room = first.byteCount + second.byteCount
        let piece = state.withLock { state -> [UInt8] in
            guard let piece = state.pieces.first else { return [] }
            let taken = piece.prefix(room)
            state.pieces[0] = piece.dropFirst(taken.count)
            if state.pieces[0].isEmpty { state.pieces.removeFirst() }
            return Array(taken)
        }
        guard !piece.isEmpty else { return .end }
        Array(piece.prefix(first.byteCount)).readBytes { first.copy($0, at: 0) }
        Array(piece.dropFirst(first.byteCount)).readBytes { second.copy($0, at: 0) }
        return .bytes(piece.count)
    }
    func send(_ bytes: RawSpan) throws(StreamFailure) {
        let copy = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        state.withLock { $0.sent += copy }
    }
    func waitToReceive(or signal: Signal) throws(StreamFailure) {}
    func shutdownReceiving() {}
    func shutdown() {}
    func limitWaiting(to limit: Duration?) {}
}
