internal import Blocks

/// Notices sequential reading and says how far to look ahead: nothing at first, then from 256 KiB up to 4 MiB.
final class ReadAhead: Sendable {
    private struct State {
        var expected: [BlockIndex] = []
        var streaks: [Int] = []
    }
    private let state = Guarded(State())
    /// Sequential readers that are followed at once.
    private static let streams = 4

    /// Blocks to fetch after a read of `blocks`.
    func blocks(after blocks: BlockRange) -> Int {
        state.withLock { state in
            guard let stream = state.expected.firstIndex(of: blocks.start) else {
                state.expected.append(blocks.end)
                state.streaks.append(0)
                if state.expected.count > ReadAhead.streams {
                    state.expected.removeFirst()
                    state.streaks.removeFirst()
                }
                return 0
            }
            state.expected[stream] = blocks.end
            state.streaks[stream] += 1
            return min(1024, 32 << min(state.streaks[stream], 5))
        }
    }
}
