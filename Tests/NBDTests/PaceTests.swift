import Blocks
import TestSupport
import Testing

@testable import NBD

/// Exports that may be used only so fast.
@Suite struct PaceTests {
    private static func run(_ pace: Pace, _ script: [UInt8]) -> (sent: [UInt8], nanoseconds: Int) {
        let device = MemoryDevice(size: .mebibytes(1))
        let agreement = Agreement(
            export: Export(name: "disk", device: device, pace: pace), size: device.size, isReadOnly: false,
            isStructured: true, contexts: [])
        let stream = ScriptedStream([script[...]])
        let begun = Machine.nanoseconds()
        var transmission = Transmission(Session(stream), stream, agreement, [])
        transmission.run()
        return (stream.sent, Machine.nanoseconds() - begun)
    }

    private static let script: [UInt8] = {
        var script: [UInt8] = []
        for index in 0..<10 {
            script += Say.write(.pattern(4096), at: index * 8192, cookie: UInt64(index))
            script += Say.write(.pattern(65_536), at: index * 8192, cookie: UInt64(100 + index))
            script += Say.request(.read, cookie: UInt64(200 + index), offset: index * 8192, length: 4096)
            script += Say.request(.trim, cookie: UInt64(300 + index), offset: index * 8192, length: 4096)
            script += Say.request(.flush, cookie: UInt64(400 + index))
        }
        return script + Say.request(.disconnect, cookie: 999)
    }()

    @Test("the answers are what they are without a pace, and none comes before its time")
    func slower() {
        let free = Self.run(Pace(), Self.script)
        // Forty operations, one of them at once: 39 times 10 ms at least.
        let paced = Self.run(Pace(Pace.Limits(operations: [Pace.Limit(rate: 100, depth: 1)])), Self.script)
        #expect(paced.nanoseconds >= 380_000_000, "\(paced.nanoseconds)")
        #expect(paced.sent.count == free.sent.count)
        let bytes = Self.run(Pace(Pace.Limits(bytes: [Pace.Limit(rate: 1 << 21, depth: 1)])), Self.script)
        // 720 KiB but for the first and what the last leaves owed, at 2 MiB a second.
        #expect(bytes.nanoseconds >= 300_000_000, "\(bytes.nanoseconds)")
        #expect(bytes.sent.count == free.sent.count)
    }

    @Test("a session that is told to stop does not wait for its pace")
    func stopped() {
        let pace = Pace(Pace.Limits(operations: [Pace.Limit(rate: 1, depth: 1)]))
        for _ in 0..<100 { _ = pace.admit(1) }
        let device = MemoryDevice(size: .mebibytes(1))
        let agreement = Agreement(
            export: Export(name: "disk", device: device, pace: pace), size: device.size, isReadOnly: false,
            isStructured: true, contexts: [])
        let stream = ScriptedStream([Self.script[...]])
        let session = Session(stream)
        let begun = Machine.nanoseconds()
        let thread = OSThread(name: "paced") {
            var transmission = Transmission(session, stream, agreement, [])
            transmission.run()
        }
        OSThread.sleep(nanoseconds: 50_000_000)
        session.stop()
        thread.join()
        #expect(Machine.nanoseconds() - begun < 10_000_000_000)
    }
}
