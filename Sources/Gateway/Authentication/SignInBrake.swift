internal import Blocks
internal import RequestSigning

/// Holds back the answers to those who sign wrongly again and again: a courtesy to the house, not what keeps keys secret
/// (``FailedSignatures``).
struct SignInBrake: Sendable {
    private let failures = Guarded(FailedSignatures())
    private let clock = SystemClock()

    /// Counts a wrong request from `address`, and returns when it may be answered.
    ///
    /// - Returns: false: too many wait already, and the answer is that the sender asks too often.
    func hold(_ address: String?) async -> Bool {
        let sender = FailedSignatures.sender(at: address ?? "")
        switch failures.withLock({ $0.note(sender, at: clock.uptime()) }) {
        case .now: return true
        case .refused: return false
        case .after(let wait):
            try? await Task.sleep(for: wait)
            failures.withLock { $0.release(sender) }
            return true
        }
    }
}
