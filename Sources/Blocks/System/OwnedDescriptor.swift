internal import Glibc

/// A file descriptor that closes when its owner goes.
struct OwnedDescriptor: ~Copyable, Sendable {
    private let number: Int32

    init(_ number: Int32) {
        precondition(number >= 0)
        self.number = number
    }
    deinit { close(number) }

    /// Runs a call on the descriptor, again whenever a signal interrupted it (-EINTR).
    func call<R: SignedInteger>(_ body: (Int32) -> R) -> R {
        while true {
            let result = body(number)
            if result != R(-EINTR) { return result }
        }
    }

    /// The bare number, for calls that keep it no longer than self lives.
    var bare: Int32 { number }
}
