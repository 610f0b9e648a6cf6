internal import Blocks

/// A byte stream inside a byte stream, encrypted.
///
/// One thread both sends and receives. The others may shut down, which ends the stream below.
final class TLSStream: ByteStream, @unchecked Sendable {
    // Safe: engine and flag are used by the one thread that sends and receives; all else is the stream's below.
    private let engine: TLSEngine
    private let stream: any ByteStream
    private var isCutOff = false

    /// `engine` has shaken hands over `stream`.
    init(_ engine: TLSEngine, over stream: any ByteStream) {
        self.engine = engine
        self.stream = stream
    }

    /// Decrypts what is here, and receives more only when that is nothing.
    ///
    /// The end of the stream below is an end too, announced or not: whoever cuts the connection can make a message
    /// incomplete, and an incomplete one is never acted upon. libssl is not told, so that what is under way can
    /// still be answered.
    func receive(
        into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
    ) throws(StreamFailure) -> Received {
        precondition(first.byteCount + second.byteCount > 0, "no room to receive into")
        while true {
            let (count, stop) = try decrypt(into: &first, then: &second)
            try engine.flush(to: stream)
            if count > 0 { return .bytes(count) }
            if stop == .ended || isCutOff { return .end }
            if stop == .failed { throw .closed }
            switch try engine.fill(from: stream, wait: wait) {
            case .bytes: continue
            case .nothingYet: return .nothingYet
            case .end: isCutOff = true
            }
        }
    }

    /// Fills both until they are full or there is nothing to fill them with.
    private func decrypt(
        into first: inout MutableRawSpan, then second: inout MutableRawSpan
    ) throws(StreamFailure) -> (count: Int, stop: TLSEngine.Outcome) {
        var count = 0
        while count < first.byteCount + second.byteCount {
            let outcome =
                count < first.byteCount
                ? engine.read(into: &first, from: count) : engine.read(into: &second, from: count - first.byteCount)
            switch outcome {
            case .moved(let more): count += more
            case .mustSend: try engine.flush(to: stream)
            case .needsInput, .ended, .failed: return (count, outcome)
            }
        }
        return (count, .moved(count))
    }

    func send(_ bytes: RawSpan) throws(StreamFailure) {
        var done = 0
        while done < bytes.byteCount {
            switch engine.write(bytes, from: done) {
            case .moved(let more): done += more
            case .mustSend: try engine.flush(to: stream)
            case .needsInput, .ended, .failed: throw .closed
            }
            if engine.outgoingCount >= TLSEngine.batch { try engine.flush(to: stream) }
        }
        try engine.flush(to: stream)
    }

    func waitToReceive(or signal: Signal) throws(StreamFailure) {
        if !engine.mayHaveContent { try stream.waitToReceive(or: signal) }
    }

    /// close_notify. Waits a second for room at most.
    func endSending() {
        engine.end()
        stream.limitWaiting(to: .seconds(1))
        do throws(StreamFailure) { try engine.flush(to: stream) } catch {}
    }

    func shutdownReceiving() { stream.shutdownReceiving() }
    func shutdown() { stream.shutdown() }
    func limitWaiting(to limit: Duration?) { stream.limitWaiting(to: limit) }
    var peer: String { stream.peer }
}
