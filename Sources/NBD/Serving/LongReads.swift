internal import Blocks

/// Whether long reads are sent from where they are cached, or read and then sent.
///
/// Sending what is cached saves the server a copy, and makes the client copy from memory that no processor has touched lately,
/// to wherever its buffer lies. Mostly that is faster, by up to two thirds; on some processors, with some buffers, it takes
/// the client four times as long. Neither can be known here, so it is measured: a stretch of long reads each way, and the
/// faster is kept; what is cached, if there is little between them. Every so often it is measured anew.
struct LongReads {
    private static let stretch = 64
    /// Stretches that are kept before the other way is tried again.
    private static let keepMax = 64
    /// A stretch with longer turns was waiting for its client; it says nothing.
    private static let turnMax = 2_000_000

    private let now: () -> Int
    /// Is what is cached sent as it is now?
    private(set) var sendsCached = true
    private var isTrial = false
    private var (reads, bytes, begun) = (0, 0, 0)
    /// Picoseconds per byte of the last stretch that counted, in the way that is kept.
    private var kept: Int?
    private var keep = 1

    /// `now`: nanoseconds of a clock that only runs forward.
    init(now: @escaping () -> Int = { Machine.nanoseconds() }) { self.now = now }

    /// A long read that could have been sent either way was answered.
    mutating func note(_ count: ByteCount) {
        if reads == 0 {
            // The first of a stretch only starts the clock.
            (begun, bytes, reads) = (now(), 0, 1)
            return
        }
        reads += 1
        bytes += count.bytes
        guard reads > Self.stretch else { return }
        let time = now() - begun
        reads = 0
        if time < Self.stretch * Self.turnMax {
            stretchEnded(time * 1000 / max(bytes, 1))
        } else if isTrial {
            keep = Self.keepMax
            turn(isTrial: false)
        }
    }

    private mutating func stretchEnded(_ cost: Int) {
        guard isTrial else {
            kept = cost
            keep -= 1
            if keep == 0 { turn(isTrial: true) }
            return
        }
        // Kept if the trial is not clearly faster; when the trial is of what is cached, if it is not slower.
        let before = kept ?? .max
        let isBetter = sendsCached ? cost <= before : cost < before - before / 10
        keep = Self.keepMax
        if isBetter { (kept, isTrial) = (cost, false) } else { turn(isTrial: false) }
    }

    private mutating func turn(isTrial: Bool) {
        sendsCached.toggle()
        self.isTrial = isTrial
    }
}
