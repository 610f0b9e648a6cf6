internal import Blocks
internal import RequestSigning

/// Holds back the answers to those who sign wrongly again and again, so that trying out keys is slow.
struct SignInBrake: Sendable {
    private struct State: Sendable {
        var failures = FailedSignatures()
        var held = 0
    }
    /// Answers that are held back at once. Above it they go out: each that waits costs a connection.
    private static let heldMax = 256
    private let state = Guarded(State())
    private let clock = SystemClock()

    /// Counts a wrong request from `address`, and returns when it may be answered.
    func hold(_ address: String?) async {
        let wait = state.withLock { state -> Duration in
            let wait = state.failures.note(address ?? "", at: clock.now())
            guard wait > .zero, state.held < Self.heldMax else { return .zero }
            state.held += 1
            return wait
        }
        guard wait > .zero else { return }
        try? await Task.sleep(for: wait)
        state.withLock { $0.held -= 1 }
    }
}
