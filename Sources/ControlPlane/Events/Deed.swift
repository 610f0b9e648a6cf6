internal import Blocks

/// Where a request came from.
public struct RequestOrigin: Sendable {
    /// The client's address.
    public var address: String?
    /// The key that the request was signed with.
    public var accessKey: String?
    /// What client and log have of the request.
    public var requestID: String?

    /// Makes one.
    public init(address: String? = nil, accessKey: String? = nil, requestID: String? = nil) {
        self.address = address
        self.accessKey = accessKey
        self.requestID = requestID
    }

    /// That of the request that is being answered, set by whoever took it.
    @TaskLocal public static var current = RequestOrigin()
}

/// What one request comes to: opened where a door hands a request to a dialect (``House/recording(_:at:for:in:_:)``) and
/// written as an event when the answer is known.
///
/// It is an event if the request wanted to change something. No verb can forget to say so: the check of whether the caller may
/// (``Caller/mayChange(_:leavesEvent:verb:)`` and its like) says it. Likewise ids: whatever checks one or makes one notes it.
public final class Deed: Sendable {
    private struct State {
        var isChange = false
        var verb: String?
        var action: String?
        var subjects: [String] = []
        var failure: String?
        var requestID: String?
        var isOver = false
    }
    private let state = Guarded(State())

    @TaskLocal static var current: Deed?
    private static let subjectsMax = 100
    /// Bytes of what is kept of a text that a client chose.
    private static let textMax = 128

    /// The request wants to change something. The first verb that says what counts: others are part of it.
    static func begin(_ noun: ServiceError.Noun, _ function: String) {
        current?.state.withLock { state in
            if state.isOver { return }
            state.isChange = true
            if state.verb == nil { state.verb = "\(noun.rawValue).\(function.prefix { $0 != "(" })" }
        }
    }

    /// What is asked for, in the door's words, and whether that is a change whatever comes of it.
    public static func name(_ action: String, isChange: Bool = false) {
        current?.state.withLock { state in
            state.action = String(action.prefix(textMax))
            state.isChange = state.isChange || isChange
        }
    }

    /// Under which id client and log have it, where the dialect makes that.
    public static func note(requestID: String) { current?.state.withLock { $0.requestID = requestID } }

    /// It was refused, with the code that the client reads.
    public static func refuse(_ code: String) { current?.state.withLock { $0.failure = code } }

    /// It is about this object. What goes on after the answer notes nothing more.
    static func note(_ subject: String) {
        current?.state.withLock { state in
            guard !state.isOver, state.subjects.count < subjectsMax, !state.subjects.contains(subject) else { return }
            state.subjects.append(subject)
        }
    }

    /// What came of it.
    struct Outcome: Sendable {
        let verb: String
        let action: String?
        let subjects: [String]
        /// Nil: it was done.
        let failure: String?
        let requestID: String?
    }

    /// What came of it; nil: nothing was to change.
    func end() -> Outcome? {
        state.withLock { state in
            state.isOver = true
            guard state.isChange else { return nil }
            return Outcome(
                verb: state.verb ?? state.action ?? "unknown", action: state.action, subjects: state.subjects,
                failure: state.failure, requestID: state.requestID)
        }
    }
}
