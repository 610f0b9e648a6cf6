import Blocks
import ObjectStore
import RequestSigning
import Testing

@testable import S3

/// Stores and small things that several suites need.
enum Shop {
    static func location(_ more: String = "", style: String = "path", prefix: String = "pre/fix") throws -> S3Location {
        try S3Location(
            "s3://\(FakeServer.bucket)/\(prefix)?endpoint=http://s3.test:9000&style=\(style)\(more)", environment: [:])
    }

    static func store(
        _ server: FakeServer, style: String = "path", prefix: String = "pre/fix", part: ByteCount = .mebibytes(1)
    ) throws -> S3Store {
        S3Store(
            try location(style: style, prefix: prefix), credentials: S3Credentials(.fixed(FakeServer.key)),
            exchange: server, clock: server.clock, multipartAbove: .mebibytes(2), part: part)
    }

    static func put(_ bytes: [UInt8], _ key: String, _ store: any ObjectStore) throws {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }
    static func putIfAbsent(_ bytes: [UInt8], _ key: String, _ store: any ObjectStore) throws -> Bool {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.putIfAbsent(span, at: key) }
    }

    /// The failure that `body` ends in.
    static func failure(_ body: () throws -> Void) -> StoreFailure? {
        do {
            try body()
            return nil
        } catch { return error as? StoreFailure }
    }
}

/// A clock whose sleeps take no time; `offset` is how far its wall time is from the fake server's date.
final class StillClock: HouseClock {
    private let slept = Guarded(Duration.zero)
    private let offset: Duration
    init(offset: Duration = .zero) { self.offset = offset }
    var sleepSum: Duration { slept.withLock { $0 } }
    func now() -> WallTime { WallTime(milliseconds: 1_700_000_000_000) + offset }
    func uptime() -> Duration { sleepSum }
    func sleep(_ duration: Duration) { slept.withLock { $0 += duration } }
}
