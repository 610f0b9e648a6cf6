internal import Blocks
internal import VolumeEngine

/// A write by another thread that meets whatever is going on, and can be held in the middle of it.
///
/// Nothing that is checked depends on how long anything takes: held too briefly, it meets less.
final class Straggler: Sendable {
    /// Nothing moved for so long: whoever is awaited waits for the held write, as it should.
    private static let idle = Duration.milliseconds(4)
    /// A write that meets a cut and is not through after so long waits for it.
    private static let patience = Duration.seconds(20)

    let disk: String
    let range: Range<Int>
    let number: UInt32
    private let volume: Volume
    private let bytes: [UInt8]
    private let hold: Int

    private struct State: Sendable {
        var callsUntilStart: Int
        var thread: OSThread?
        var identity: UInt?
        var calls = 0
        var isHeld = false
        var isReleased = false
        var isDone = false
        var isHeldUp = false
        var mustNotWait = false
        var failure: BlockFailure?
    }
    private let state: Guarded<State>

    init(
        _ volume: Volume, disk: String, range: Range<Int>, number: UInt32, bytes: [UInt8], at: Int, hold: Int
    ) {
        self.volume = volume
        self.disk = disk
        self.range = range
        self.number = number
        self.bytes = bytes
        self.hold = hold
        state = Guarded(State(callsUntilStart: max(1, at)))
    }

    var hasStarted: Bool { state.withLock { $0.thread != nil } }
    /// Did it wait for a cut?
    var isHeldUp: Bool { state.withLock { $0.isHeldUp } }
    /// A cut begins, or has ended.
    func mayWait(_ may: Bool) { state.withLock { $0.mustNotWait = !may } }
    /// Is this its own thread?
    var isMine: Bool { state.withLock { $0.identity } == ThisThread.number }
    /// Counts down; true once.
    var isDue: Bool {
        state.withLock { state in
            state.callsUntilStart -= 1
            return state.callsUntilStart == 0
        }
    }

    /// Begins, on behalf of the thread that makes a call of the disk, and lets that go on when the write is through, or
    /// held, or waits for that very thread.
    func meet(_ fate: Fate) {
        let thread = OSThread(name: "straggler") { self.run() }
        let mustNotWait = state.withLock { state in
            state.thread = thread
            return state.mustNotWait && hold == 0
        }
        let limit = mustNotWait ? Self.patience : Self.idle
        let isOn: Void? = state.wait(atMost: limit) { $0.isDone || $0.isHeld ? () : nil }
        if mustNotWait, isOn == nil { state.withLock { $0.isHeldUp = true } }
    }

    private func run() {
        state.withLock { $0.identity = ThisThread.number }
        var failure: BlockFailure?
        let place = ByteRange(at: ByteOffset(range.lowerBound * 512), count: ByteCount(range.count * 512))
        do throws(BlockFailure) {
            try bytes.readBytes { (span) throws(BlockFailure) in
                try volume.write(place, from: span, durably: false)
            }
        } catch { failure = error }
        let result = failure
        state.change { state in
            state.isDone = true
            state.failure = result
        }
    }

    /// A call of its own: held here?
    func pass(_ fate: Fate) {
        let mustHold = state.change { state in
            state.calls += 1
            guard state.calls == hold, !state.isReleased else { return false }
            state.isHeld = true
            return true
        }
        guard mustHold else { return }
        var seen = fate.calls
        while true {
            let isReleased: Void? = state.wait(atMost: Self.idle) { $0.isReleased ? () : nil }
            let now = fate.calls
            if isReleased != nil || now == seen { break }
            seen = now
        }
        state.change { $0.isReleased = true }
    }

    /// Lets it go and waits for its end.
    ///
    /// - Returns: what the write said; nil if it never began.
    func land() -> Result<Void, BlockFailure>? {
        let thread = state.change { state in
            state.isReleased = true
            state.callsUntilStart = -1
            return state.thread
        }
        guard let thread else { return nil }
        thread.join()
        if let failure = state.withLock({ $0.failure }) { return .failure(failure) }
        return .success(())
    }
}
