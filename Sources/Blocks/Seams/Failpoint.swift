internal import Glibc
internal import Synchronization

/// Named places in the code where a test may end the process, or step in.
///
/// `VARVE_FAILPOINT=name` ends the process, as kill -9 would, when execution first reaches `name`;
/// `VARVE_FAILPOINT=name:3` at the third time. Unarmed, a failpoint costs one load. Names are `room.step`.
public enum Failpoint {
    private struct Armed {
        var name = ""
        var remaining = 0
        var observer: (@Sendable (String) -> Void)?
    }
    private static let armed = Guarded(Armed())
    private static let isArmed: Atomic<Bool> = {
        guard let text = unsafe getenv("VARVE_FAILPOINT") else { return Atomic(false) }
        let parts = unsafe String(cString: text).split(separator: ":")
        guard let name = parts.first else { return Atomic(false) }
        let count = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
        armed.withLock { $0 = Armed(name: String(name), remaining: count, observer: nil) }
        return Atomic(true)
    }()

    /// Says that execution has reached `name`.
    public static func hit(_ name: StaticString) {
        guard isArmed.load(ordering: .relaxed) else { return }
        let text = "\(name)"
        let (mustDie, observer) = armed.withLock { state -> (Bool, (@Sendable (String) -> Void)?) in
            guard state.name == text else { return (false, state.observer) }
            state.remaining -= 1
            return (state.remaining == 0, state.observer)
        }
        if mustDie { Machine.killSelf() }
        observer?(text)
    }

    /// Calls `observer` at every failpoint from now on (tests in one process); nil ends it.
    public static func observe(_ observer: (@Sendable (String) -> Void)?) {
        armed.withLock { $0.observer = observer }
        isArmed.store(observer != nil || armed.withLock { !$0.name.isEmpty }, ordering: .relaxed)
    }
}
