import Blocks
import Synchronization
import VolumeEngine

/// P3: the longest gap that a 4 KiB writer at depth 1 feels around each of 1000 cuts, at 1 GiB and at 64 TiB (sparse).
///
/// The writer runs on its own thread without a pause. Around every cut, from the call until it returns, its longest write
/// is noted; so is the longest in an equally long stretch without a cut, because the machine itself stalls writers too.
@main struct StallBench {
    static func main() throws {
        for (name, size) in [("1 GiB", ByteCount.gibibytes(1)), ("64 TiB", ByteCount.tebibytes(64))] {
            try measure(name, size, cuts: Int(CommandLine.arguments.dropFirst().first ?? "1000") ?? 1000)
        }
    }

    static func measure(_ name: String, _ size: ByteCount, cuts: Int) throws {
        let path = "/var/tmp/varve-stall-\(UInt32.random(in: 0 ... .max))"
        let disk = LocalDisk()
        defer { try? disk.removeTree(path) }
        let environment = VolumeEnvironment(
            disk: disk, clock: SystemClock(), bootID: "bench", overlayShare: 1, runsBackgroundWork: false)
        try Volume.create(NewVolume(size: size), at: path, in: environment)
        let volume = try Volume.open(at: path, in: environment)
        let writer = Writer(volume, span: 1 << 30)
        writer.fill()
        let thread = OSThread(name: "writer") { writer.run() }
        var during: [Double] = []
        var without: [Double] = []
        var lengths: [Double] = []
        let clock = SystemClock()
        for number in 0..<cuts {
            writer.reset()
            let start = clock.uptime()
            _ = try volume.cut(for: "snap-\(number)")
            let length = clock.uptime() - start
            during.append(writer.longest)
            lengths.append(length.milliseconds)
            volume.finish("snap-\(number)")
            try volume.settle()
            clock.sleep(.milliseconds(2))
            writer.reset()
            clock.sleep(length)
            without.append(writer.longest)
        }
        writer.mustStop.store(true, ordering: .relaxed)
        thread.join()
        try volume.close()
        print(
            "P3 \(name), \(cuts) cuts: longest write at a cut \(summary(during)); without a cut \(summary(without)); "
                + "a cut with its sync took \(summary(lengths))")
    }

    static func summary(_ values: [Double]) -> String {
        let sorted = values.sorted()
        func at(_ share: Double) -> String { rounded(sorted[Int(Double(sorted.count - 1) * share)]) }
        return "median \(at(0.5)), 99 % \(at(0.99)), worst \(at(1)) ms"
    }
    static func rounded(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}

final class Writer: Sendable {
    let volume: Volume
    let span: Int
    let mustStop = Atomic(false)
    private let worst = Atomic<Int64>(0)

    init(_ volume: Volume, span: Int) {
        self.volume = volume
        self.span = span
    }
    var longest: Double { Double(worst.load(ordering: .relaxed)) / 1e6 }
    func reset() { worst.store(0, ordering: .relaxed) }

    func fill() {
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        for offset in stride(from: 0, to: span, by: 1 << 20) { write(bytes, at: offset) }
    }
    func run() {
        let clock = SystemClock()
        let bytes = [UInt8](repeating: 9, count: 4096)
        while !mustStop.load(ordering: .relaxed) {
            let start = clock.uptime()
            write(bytes, at: Int.random(in: 0..<span / 4096) * 4096)
            let (seconds, attoseconds) = (clock.uptime() - start).components
            let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
            if nanoseconds > worst.load(ordering: .relaxed) { worst.store(nanoseconds, ordering: .relaxed) }
        }
    }
    private func write(_ bytes: [UInt8], at offset: Int) {
        do {
            try bytes.readBytes { (all) throws(BlockFailure) in
                try volume.write(
                    ByteRange(at: ByteOffset(offset), count: ByteCount(bytes.count)), from: all, durably: false)
            }
        } catch { fatalError("a write failed: \(error)") }
    }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
    }
}
