/// A refusal in Kingsoft's words: code, message and status are what clients match on.
///
/// Some clients take a message of a Describe action with "invalid", "not found" or "not exist" for the word that an object is gone,
/// and forget it: none of those is in what is refused for other reasons than that.
struct KingsoftFailure: Error, Equatable, Sendable {
    var code: String
    var message: String
    /// The HTTP status.
    var status = 400
    /// For the log alone.
    var logged: String?

    init(_ code: KingsoftCode, _ message: String, status: Int = 400, logged: String? = nil) {
        self.code = code.rawValue
        self.message = message
        self.status = status
        self.logged = logged
    }

    private init(of parameter: String, _ ending: String, _ message: String) {
        code = parameter + ending
        self.message = message
    }

    /// Whose fault it is.
    var type: String { status < 500 ? "Sender" : "Receiver" }

    static func required(_ name: String) -> KingsoftFailure {
        KingsoftFailure(of: name, "Required", "The request must contain the parameter \(name).")
    }

    static func wrong(_ name: String, _ why: String = "") -> KingsoftFailure {
        KingsoftFailure(
            of: name, "InvalidParameterValue",
            "An invalid or out-of-range value was supplied for the input parameter \(name). \(why)")
    }

    /// What can be blamed on no parameter.
    static func unreadable(_ why: String) -> KingsoftFailure { KingsoftFailure(.invalidParameterValue, why) }

    static let denied = KingsoftFailure(
        .accessDenied, "You are not permitted to perform this operation.", status: 403)

    static func unsupportedAction(_ name: String) -> KingsoftFailure {
        KingsoftFailure(.unsupportedAction, "The action \(name.shortened) is not offered by this service.")
    }

    static func unsupportedParameter(_ name: String) -> KingsoftFailure {
        KingsoftFailure(
            .unsupportedParameter,
            "The parameter \(name.shortened) is unknown here; an answer without regard to it could have too much.")
    }

    static func internalFault(_ cause: String) -> KingsoftFailure {
        KingsoftFailure(.internalFailure, "The service has failed. Please retry later.", status: 500, logged: cause)
    }
}
